package io.pbft.cli.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Processor time of the whole machine since its start, in ticks: what is left of it when one's own processes are taken away
 * tells whether a measurement was alone. All 0 on systems without {@code /proc/stat}.
 *
 * @param busyTicks of all processors, spent on something, stolen time included
 * @param allTicks of all processors
 */
public record MachineUsage(long busyTicks, long allTicks) {
    private static final int IDLE = 3;
    private static final int IO_WAIT = 4;
    private static final int FIELDS = 8;

    public static MachineUsage now() {
        List<String> lines;
        try {
            lines = Files.readAllLines(Path.of("/proc/stat"));
        } catch (IOException e) {
            return new MachineUsage(0, 0);
        }
        // user nice system idle iowait irq softirq steal: guests' time, which follows, is in user's already.
        String[] fields = lines.get(0).strip().split("\\s+", -1);
        long all = 0;
        long idle = 0;
        for (int i = 0; i < FIELDS && i + 1 < fields.length; i++) {
            long ticks = Long.parseLong(fields[i + 1]);
            all += ticks;
            idle += i == IDLE || i == IO_WAIT ? ticks : 0;
        }
        return new MachineUsage(all - idle, all);
    }

    /** The share of the machine that was busy from {@code earlier} until this, 0 to 1. */
    public double busySince(MachineUsage earlier) {
        long all = allTicks - earlier.allTicks;
        return all == 0 ? 0 : (double) (busyTicks - earlier.busyTicks) / all;
    }
}
