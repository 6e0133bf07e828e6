package io.pbft.cli.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a process of this machine has used since its start. What the system does not tell is 0: on systems without {@code /proc}
 * that is everything but the processor time.
 *
 * @param cpuSeconds in user and kernel, of all threads, in steps of some 10 ms
 * @param residentBytes now
 * @param waits context switches because a thread waited for something
 * @param preemptions context switches because another thread was to run
 * @param writtenBytes handed to the disk
 */
public record ProcessUsage(double cpuSeconds, long residentBytes, long waits, long preemptions, long writtenBytes) {
    private static final ProcessUsage NONE = new ProcessUsage(0, 0, 0, 0, 0);

    /** Of a process that may have ended: then all is 0. */
    public static ProcessUsage of(long pid) {
        double cpu = ProcessHandle.of(pid)
                        .flatMap(process -> process.info().totalCpuDuration())
                        .orElse(Duration.ZERO)
                        .toNanos()
                / 1e9;
        Path folder = Path.of("/proc", Long.toString(pid));
        long resident = 1_024 * number(lines(folder.resolve("status")), "VmRSS:");
        long written = number(lines(folder.resolve("io")), "write_bytes:");
        long waits = 0;
        long preemptions = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(folder.resolve("task"))) {
            for (Path thread : threads) {
                List<String> status = lines(thread.resolve("status"));
                waits += number(status, "voluntary_ctxt_switches:");
                preemptions += number(status, "nonvoluntary_ctxt_switches:");
            }
        } catch (IOException e) {
            return new ProcessUsage(cpu, resident, 0, 0, written);
        }
        return new ProcessUsage(cpu, resident, waits, preemptions, written);
    }

    /** What was used from {@code earlier} until this; the resident memory is this one's. */
    public ProcessUsage since(ProcessUsage earlier) {
        return new ProcessUsage(
                cpuSeconds - earlier.cpuSeconds,
                residentBytes,
                // Threads that ended took their counts along.
                Math.max(0, waits - earlier.waits),
                Math.max(0, preemptions - earlier.preemptions),
                writtenBytes - earlier.writtenBytes);
    }

    /** The sum of two processes'. */
    public ProcessUsage plus(ProcessUsage other) {
        return new ProcessUsage(
                cpuSeconds + other.cpuSeconds,
                residentBytes + other.residentBytes,
                waits + other.waits,
                preemptions + other.preemptions,
                writtenBytes + other.writtenBytes);
    }

    /** Of all of them together. */
    public static ProcessUsage ofAll(List<Long> pids) {
        return pids.stream().map(ProcessUsage::of).reduce(NONE, ProcessUsage::plus);
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException | UncheckedIOException e) {
            // No such system, or no such process any more.
            return List.of();
        }
    }

    private static long number(List<String> lines, String name) {
        for (String line : lines) {
            if (line.startsWith(name)) {
                return Long.parseLong(
                        line.substring(name.length()).replace("kB", "").strip());
            }
        }
        return 0;
    }
}
