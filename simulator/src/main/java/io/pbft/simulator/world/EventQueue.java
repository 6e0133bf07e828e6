package io.pbft.simulator.world;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The world's clock and agenda: a binary heap of what happens when. The order is total, by time and then by the order in which
 * events were put in, so that one seed has one history. Times are virtual microseconds. NOT thread-safe.
 */
public final class EventQueue {
    private long[] times = new long[1_024];
    private long[] orders = new long[1_024];
    private @Nullable Runnable[] events = new Runnable[1_024];
    private int size;
    private long nextOrder;
    private long now;
    private long executed;

    /** Virtual microseconds since the world began. */
    public long now() {
        return now;
    }

    /** Events run so far. */
    public long executed() {
        return executed;
    }

    public int size() {
        return size;
    }

    /** When the next event is due; {@link Long#MAX_VALUE} when there is none. */
    public long nextTime() {
        return size == 0 ? Long.MAX_VALUE : times[0];
    }

    /** Runs {@code event} at {@code time}, or now where that has passed. */
    public void at(long time, Runnable event) {
        if (size == times.length) {
            times = Arrays.copyOf(times, size * 2);
            orders = Arrays.copyOf(orders, size * 2);
            events = Arrays.copyOf(events, size * 2);
        }
        siftUp(Math.max(time, now), nextOrder++, event);
    }

    public void after(long delay, Runnable event) {
        at(now + delay, event);
    }

    /** Moves the clock to the next event and runs it; false when there is none. */
    public boolean step() {
        if (size == 0) {
            return false;
        }
        Runnable event = Objects.requireNonNull(events[0]);
        now = times[0];
        removeFirst();
        executed++;
        event.run();
        return true;
    }

    private void siftUp(long time, long order, Runnable event) {
        int at = size++;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (times[parent] < time || (times[parent] == time && orders[parent] < order)) {
                break;
            }
            move(parent, at);
            at = parent;
        }
        place(at, time, order, event);
    }

    private void removeFirst() {
        size--;
        long time = times[size];
        long order = orders[size];
        Runnable event = Objects.requireNonNull(events[size]);
        events[size] = null;
        if (size == 0) {
            return;
        }
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && before(child + 1, child)) {
                child++;
            }
            if (time < times[child] || (time == times[child] && order < orders[child])) {
                break;
            }
            move(child, at);
            at = child;
        }
        place(at, time, order, event);
    }

    private boolean before(int left, int right) {
        return times[left] < times[right] || (times[left] == times[right] && orders[left] < orders[right]);
    }

    private void move(int from, int to) {
        times[to] = times[from];
        orders[to] = orders[from];
        events[to] = events[from];
    }

    private void place(int at, long time, long order, Runnable event) {
        times[at] = time;
        orders[at] = order;
        events[at] = event;
    }
}
