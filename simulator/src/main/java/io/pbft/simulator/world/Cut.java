package io.pbft.simulator.world;

/**
 * From {@code fromMicros} to {@code toMicros} nothing gets from replica {@code from} to replica {@code to}; the way
 * back works.
 */
public record Cut(long fromMicros, long toMicros, int from, int to) {
    boolean separates(int sender, int receiver, long now) {
        return sender == from && receiver == to && now >= fromMicros && now < toMicros;
    }
}
