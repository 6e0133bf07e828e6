package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** What a demonstration found out. */
record DemoReport(
        int replicas,
        int faulty,
        int clients,
        Load load,
        Kill backup,
        Kill primary,
        Agreement agreement,
        List<Check> checks) {
    /** Times in milliseconds. */
    record Load(long operations, double seconds, double medianMillis, double p99Millis, double longestMillis) {
        static Load of(long operations, double seconds, Histogram latencyMicros) {
            return new Load(
                    operations,
                    seconds,
                    latencyMicros.getValueAtPercentile(50) / 1e3,
                    latencyMicros.getValueAtPercentile(99) / 1e3,
                    latencyMicros.getMaxValue() / 1e3);
        }
    }

    /**
     * A replica that was killed with SIGKILL in the middle of the load.
     *
     * @param after how many operations had been answered
     * @param pauseMillis the longest time in which no client got an answer to an operation, until the replica was back
     * @param catchUpMillis from its restart until it had executed all that the others had when it was restarted
     */
    record Kill(int replica, long after, long viewBefore, long viewAfter, double pauseMillis, long catchUpMillis) {}

    /** Where all replicas stood at the end. */
    record Agreement(long view, long lastExecuted, String stateRoot, boolean all) {}

    /** One thing that had to hold. */
    record Check(String name, String sentence, boolean passed, String detail) {}

    DemoReport {
        checks = List.copyOf(checks);
    }

    boolean passed() {
        return checks.stream().allMatch(Check::passed);
    }

    ObjectNode toJson() {
        ObjectNode document = Json.object();
        document.put("ok", passed());
        document.put("replicas", replicas);
        document.put("f", faulty);
        document.put("clients", clients);
        document.put("operations", load.operations);
        document.put("seconds", round(load.seconds));
        document.put("operationsPerSecond", Math.round(load.operations / load.seconds));
        document.putObject("latencyMillis")
                .put("median", round(load.medianMillis))
                .put("p99", round(load.p99Millis))
                .put("longest", round(load.longestMillis));
        document.set("backupKilled", toJson(backup));
        document.set("primaryKilled", toJson(primary));
        document.putObject("agreement")
                .put("view", agreement.view)
                .put("lastExecuted", agreement.lastExecuted)
                .put("stateRoot", agreement.stateRoot)
                .put("all", agreement.all);
        ObjectNode results = document.putObject("checks");
        checks.forEach(check -> results.put(check.name, check.passed));
        var failures = document.putArray("failures");
        checks.stream()
                .filter(check -> !check.passed)
                .forEach(check -> failures.add(check.sentence + ": " + check.detail));
        return document;
    }

    private static ObjectNode toJson(Kill kill) {
        return Json.object()
                .put("replica", kill.replica)
                .put("afterOperations", kill.after)
                .put("viewBefore", kill.viewBefore)
                .put("viewAfter", kill.viewAfter)
                .put("pauseMillis", round(kill.pauseMillis))
                .put("catchUpMillis", kill.catchUpMillis);
    }

    private static double round(double value) {
        return Math.round(value * 100) / 100.0;
    }

    void print(PrintWriter out) {
        out.println();
        line(
                out,
                "load",
                "%,d operations of %d clients in %.1f s: %,d per second, all checked against a model",
                load.operations,
                clients,
                load.seconds,
                Math.round(load.operations / load.seconds));
        line(
                out,
                "latency",
                "median %.1f ms, 99 %% within %.1f ms, the longest %.0f ms",
                load.medianMillis,
                load.p99Millis,
                load.longestMillis);
        line(
                out,
                "backup",
                "replica %d killed by SIGKILL; clients waited %.0f ms at most; back after %.1f s",
                backup.replica,
                backup.pauseMillis,
                backup.catchUpMillis / 1e3);
        line(
                out,
                "primary",
                "replica %d killed by SIGKILL; clients waited %.0f ms, view %d to %d; back after %.1f s",
                primary.replica,
                primary.pauseMillis,
                primary.viewBefore,
                primary.viewAfter,
                primary.catchUpMillis / 1e3);
        line(
                out,
                "state",
                "%d replicas, sequence number %,d, root %s",
                replicas,
                agreement.lastExecuted,
                agreement.stateRoot.substring(0, Math.min(16, agreement.stateRoot.length())));
        out.println();
        for (Check check : checks) {
            out.println((check.passed ? "  ok      " : "  FAILED  ")
                    + check.sentence
                    + (check.passed || check.detail.isEmpty() ? "" : ": " + check.detail));
        }
        out.println();
        out.println(
                passed()
                        ? "Replicas died and came back; to its clients the service was one machine that never failed."
                        : "This is not how the service has to behave.");
        out.flush();
    }

    @FormatMethod
    private static void line(PrintWriter out, String head, @FormatString String format, Object... values) {
        out.println(String.format(Locale.ROOT, "  %-8s  ", head) + String.format(Locale.ROOT, format, values));
    }
}
