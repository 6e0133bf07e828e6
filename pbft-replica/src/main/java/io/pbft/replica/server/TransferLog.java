package io.pbft.replica.server;

import io.pbft.replica.TransferReport;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A line of the log every few seconds while a state is being transferred. NOT thread-safe. */
final class TransferLog {
    static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(3);

    private static final Logger LOG = LoggerFactory.getLogger(TransferLog.class);

    private final int replica;
    private boolean transferring;
    private long lineDue;
    private long lineNanos;
    private long lineBytes;

    TransferLog(int replica) {
        this.replica = replica;
    }

    void log(Optional<TransferReport> transfer, long nowNanos) {
        if (transfer.isEmpty()) {
            transferring = false;
            return;
        }
        TransferReport report = transfer.get();
        if (!transferring) {
            transferring = true;
            lineDue = nowNanos + LINE_NANOS;
            lineNanos = nowNanos;
            lineBytes = report.bytesReceived();
        } else if (nowNanos - lineDue >= 0) {
            LOG.info("replica {}: {}", replica, line(report, lineBytes, nowNanos - lineNanos));
            lineDue = nowNanos + LINE_NANOS;
            lineNanos = nowNanos;
            lineBytes = report.bytesReceived();
        }
    }

    /**
     * @param bytesBefore received {@code nanos} ago; more than now when another target has begun meanwhile
     */
    static String line(TransferReport report, long bytesBefore, long nanos) {
        String sources = report.sources().stream()
                .map(source -> "replica " + source.replica() + " " + words(source.state()) + " "
                        + megabytes(source.bytesReceived()) + " MB")
                .collect(Collectors.joining(", "));
        double seconds = nanos / 1e9;
        long rate = Math.round(Math.max(0, report.bytesReceived() - bytesBefore) / seconds);
        return "state transfer to checkpoint " + report.seq() + " is "
                + words(report.phase()) + ": " + megabytes(report.bytesReceived())
                + " of about " + megabytes(report.bytesExpected()) + " MB received, " + megabytes(rate) + " MB/s, "
                + report.entriesMissing() + " of " + report.entries() + " entries missing; sources: " + sources;
    }

    private static String words(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / 1e6);
    }
}
