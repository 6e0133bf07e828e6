package io.pbft.simulator.report;

import io.pbft.simulator.report.ReportModel.Event;
import java.util.ArrayList;
import java.util.List;

/** From when to when each replica's timer ran, and how that ended. NOT thread-safe. */
final class TimerBars {
    /** How a timer's run ended. */
    enum End {
        /** What it waited for came, and nothing else is waited for. */
        STOPPED,
        /** What it waited for came, and the next wait began. */
        RESTARTED,
        /** Time was up: the view is left. */
        EXPIRED,
        /** The replica crashed, or the run was over. */
        CUT_OFF
    }

    /**
     * One run of a timer.
     *
     * @param awaited REQUEST or NEW_VIEW
     * @param from the event that started it
     * @param to the event that ended it
     * @param ticks how long it was to run
     */
    record Bar(int lane, int from, int to, String awaited, long ticks, End end) {}

    private record Running(int from, String awaited, long ticks) {}

    private final List<Bar> all = new ArrayList<>();
    private final List<Event> events;
    private final Running[] running;

    /** @param events those of the run so far; the reader adds to them */
    TimerBars(int lanes, List<Event> events) {
        this.running = new Running[lanes];
        this.events = events;
    }

    List<Bar> all() {
        return List.copyOf(all);
    }

    /** Takes in the event at {@code index}. */
    void event(Event event, int index) {
        if (event.lane() < 0) {
            return;
        }
        switch (event.kind()) {
            case "timer" -> {
                end(event.lane(), index, event.detail().isEmpty() ? End.STOPPED : End.RESTARTED);
                if (!event.detail().isEmpty()) {
                    running[event.lane()] = new Running(index, event.detail(), event.second());
                }
            }
            case "crash", "halt", "lose-disk" -> end(event.lane(), index, End.CUT_OFF);
            case "note" -> {
                if (event.detail().startsWith("REQUEST_TIMED_OUT")) {
                    expired(event, "REQUEST");
                } else if (event.detail().startsWith("VIEW_CHANGE_TIMED_OUT")) {
                    expired(event, "NEW_VIEW");
                }
            }
            default -> {}
        }
    }

    /** A core says that time was up in the step that ended the timer, just after. */
    private void expired(Event note, String awaited) {
        for (int i = all.size() - 1; i >= 0; i--) {
            Bar bar = all.get(i);
            if (bar.lane() == note.lane()) {
                boolean same =
                        bar.awaited().equals(awaited) && events.get(bar.to()).atMicros() == note.atMicros();
                if (same) {
                    all.set(i, new Bar(bar.lane(), bar.from(), bar.to(), awaited, bar.ticks(), End.EXPIRED));
                }
                return;
            }
        }
    }

    private void end(int lane, int index, End end) {
        Running was = running[lane];
        running[lane] = null;
        if (was != null) {
            all.add(new Bar(lane, was.from(), index, was.awaited(), was.ticks(), end));
        }
    }

    void end(int lastEvent) {
        for (int lane = 0; lane < running.length; lane++) {
            end(lane, lastEvent, End.CUT_OFF);
        }
    }
}
