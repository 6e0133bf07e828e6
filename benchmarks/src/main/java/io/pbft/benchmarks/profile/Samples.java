package io.pbft.benchmarks.profile;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedThread;
import jdk.jfr.consumer.RecordingFile;

/** Execution samples of flight recordings, counted by thread and by method. NOT thread-safe. */
final class Samples {
    private static final String OURS = "io.pbft.";

    /** Samples of the threads of one name: by the method that ran, and by those of this project that were on the stack. */
    private static final class Counts {
        int all;
        final Map<String, Integer> running = new TreeMap<>();
        final Map<String, Integer> onStack = new TreeMap<>();
    }

    private final Map<String, Counts> byThread = new TreeMap<>();
    private int all;

    void add(Path file) throws IOException {
        try (RecordingFile recording = new RecordingFile(file)) {
            while (recording.hasMoreEvents()) {
                RecordedEvent event = recording.readEvent();
                if (event.getEventType().getName().equals("jdk.ExecutionSample") && event.getStackTrace() != null) {
                    add(event);
                }
            }
        }
    }

    private void add(RecordedEvent event) {
        List<RecordedFrame> frames = event.getStackTrace().getFrames();
        if (frames.isEmpty()) {
            return;
        }
        RecordedThread thread = event.getThread("sampledThread");
        String name = thread == null || thread.getJavaName() == null ? "?" : thread.getJavaName();
        // Threads that differ by a number do the same work.
        Counts counts = byThread.computeIfAbsent(name.replaceAll("\\d+", "N"), any -> new Counts());
        all++;
        counts.all++;
        counts.running.merge(method(frames.get(0)), 1, Integer::sum);
        Set<String> seen = new HashSet<>();
        for (RecordedFrame frame : frames) {
            String method = method(frame);
            if (method.startsWith(OURS) && !method.contains("$$Lambda") && seen.add(method)) {
                counts.onStack.merge(method, 1, Integer::sum);
            }
        }
    }

    private static String method(RecordedFrame frame) {
        return frame.getMethod().getType().getName() + "." + frame.getMethod().getName();
    }

    int all() {
        return all;
    }

    /** A table: shares are of all samples. */
    String describe(int top) {
        StringBuilder out = new StringBuilder();
        out.append(all).append(" samples\n");
        List<Map.Entry<String, Counts>> threads = new ArrayList<>(byThread.entrySet());
        threads.sort(Comparator.comparingLong(entry -> -entry.getValue().all));
        for (Map.Entry<String, Counts> thread : threads.subList(0, Math.min(top, threads.size()))) {
            Counts counts = thread.getValue();
            line(out, "", counts.all, thread.getKey());
            out.append("         running\n");
            table(out, counts.running, top);
            out.append("         on the stack, of this project\n");
            table(out, counts.onStack, top);
        }
        return out.toString();
    }

    private void table(StringBuilder out, Map<String, Integer> counts, int top) {
        counts.entrySet().stream()
                .sorted(Comparator.comparingInt(entry -> -entry.getValue()))
                .limit(top)
                .forEach(entry -> line(out, "         ", entry.getValue(), entry.getKey()));
    }

    private void line(StringBuilder out, String indent, int count, String what) {
        out.append(String.format(Locale.ROOT, "%s%5.1f %%  %s%n", indent, 100.0 * count / all, what));
    }
}
