package io.pbft.simulator.workload;

import io.pbft.replica.StateMachine;
import io.pbft.simulator.Workload;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.Keyed;
import io.pbft.simulator.world.Mix;
import java.util.Optional;

/** The application of the simulator's own: {@link Machine}, and the operations of a {@link Workload}. */
public final class Generator implements Application {
    private static final int KEYS = 5;

    private final Workload workload;
    private final double readShare;
    private final Keyed keyed;

    public Generator(Workload workload, double readShare, Keyed keyed) {
        this.workload = workload;
        this.readShare = readShare;
        this.keyed = keyed;
    }

    @Override
    public StateMachine machine(String node, boolean correct) {
        return new Machine();
    }

    @Override
    public Optional<Specification> specification() {
        return Optional.empty();
    }

    @Override
    public Call call(long number) {
        String key = "k" + keyed.between(Fault.WORKLOAD, number, 1, 0, KEYS - 1);
        if (keyed.unit(Fault.WORKLOAD, number, 2) < readShare) {
            return new Call(number, "get", key, "", "");
        }
        return switch (workload) {
            case APPEND -> new Call(number, "append", key, "v" + number, "");
            case COUNTER -> new Call(number, "add", key, Long.toString(1 + number % 7), "");
            case KV -> kv(number, key);
        };
    }

    @Override
    public boolean fast(long number) {
        return (keyed.bits(Fault.WORKLOAD, number, 3) & 3) != 0;
    }

    private Call kv(long number, String key) {
        long choice = keyed.between(Fault.WORKLOAD, number, 4, 0, 99);
        if (choice < 50) {
            return new Call(number, "put", key, "v" + number, "");
        } else if (choice < 65) {
            return new Call(number, "delete", key, "", "");
        } else if (choice < 80) {
            long guess = Math.floorMod(Mix.mix(number), Math.max(1, number));
            return new Call(number, "cas", key, "v" + guess, "v" + number);
        }
        return new Call(number, "add", key, "1", "");
    }
}
