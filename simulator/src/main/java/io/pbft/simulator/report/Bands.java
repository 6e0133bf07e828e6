package io.pbft.simulator.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.pbft.simulator.report.ReportModel.Band;
import io.pbft.simulator.report.ReportModel.Event;
import io.pbft.simulator.report.ReportModel.Lane;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What each replica was doing and in which view, event by event: NORMAL, VIEW_CHANGE and REJOINING as it said itself;
 * DOWN and PAUSED as was done to it. NOT thread-safe.
 */
final class Bands {
    private final List<Band> all = new ArrayList<>();
    private final int[] since;
    private final long[] view;
    private final String[] status;
    private final String[] beforePause;

    Bands(int lanes) {
        since = new int[lanes];
        view = new long[lanes];
        status = new String[lanes];
        beforePause = new String[lanes];
        java.util.Arrays.fill(status, "");
        java.util.Arrays.fill(beforePause, "NORMAL");
    }

    List<Band> all() {
        return List.copyOf(all);
    }

    void event(Event event, int index) {
        int lane = event.lane();
        if (lane < 0) {
            return;
        }
        switch (event.kind()) {
            case "start" -> change(lane, index, view[lane], event.second() == 1 ? "REJOINING" : "NORMAL");
            case "crash", "lose-disk", "halt" -> change(lane, index, view[lane], "DOWN");
            case "pause" -> {
                beforePause[lane] = status[lane];
                change(lane, index, view[lane], "PAUSED");
            }
            case "resume" -> change(lane, index, view[lane], beforePause[lane]);
            case "note" -> {
                String[] words = event.detail().split(": ", 3);
                boolean changed = words.length > 1 && words[0].equals("STATUS_CHANGED");
                change(lane, index, event.first(), changed ? words[1] : status[lane]);
            }
            default -> {}
        }
    }

    /** A correct replica's own STATUS says in which view it is, also after a restart, when it notes nothing. */
    void message(String kind, int from, JsonNode line, List<Lane> lanes, int index) {
        if (kind.equals("send")
                && line.path("m").asText().equals("STATUS")
                && lanes.get(from).replica()
                && !lanes.get(from).faulty()) {
            String said = line.path("changing").asBoolean() ? "VIEW_CHANGE" : status[from];
            change(from, index, line.path("view").asLong(), said);
        }
    }

    private void change(int lane, int index, long newView, String newStatus) {
        if (view[lane] == newView && status[lane].equals(newStatus)) {
            return;
        }
        close(lane, index);
        since[lane] = index;
        view[lane] = newView;
        status[lane] = newStatus;
    }

    private void close(int lane, int index) {
        if (!status[lane].isEmpty() && index > since[lane]) {
            all.add(new Band(lane, since[lane], index, view[lane], status[lane]));
        }
    }

    void end(int lastEvent) {
        for (int lane = 0; lane < status.length; lane++) {
            close(lane, lastEvent);
        }
        all.sort(Comparator.comparingInt(Band::lane).thenComparingInt(Band::from));
    }
}
