package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.replica.TransferReport;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TransferLogTest {
    private static final TransferReport REPORT = new TransferReport(
            384,
            "FETCHING",
            50_000_000,
            200_000_000,
            750_000,
            1_000_000,
            List.of(
                    new TransferReport.Source(0, "ASKED", 40_000_000),
                    new TransferReport.Source(1, "LACKS_IT", 10_000_000),
                    new TransferReport.Source(2, "BANNED", 0)));

    @Test
    void aLineSaysTargetProgressRateAndSources() {
        assertThat(TransferLog.line(REPORT, 20_000_000, TimeUnit.SECONDS.toNanos(3)))
                .isEqualTo("state transfer to checkpoint 384 is fetching: 50.0 of about 200.0 MB received, 10.0 MB/s,"
                        + " 750000 of 1000000 entries missing; sources: replica 0 asked 40.0 MB,"
                        + " replica 1 lacks it 10.0 MB, replica 2 banned 0.0 MB");
    }

    @Test
    void anotherTargetBeginsAnewAndItsRateIsNotNegative() {
        assertThat(TransferLog.line(REPORT, 90_000_000, TimeUnit.SECONDS.toNanos(3)))
                .contains(" 0.0 MB/s");
    }
}
