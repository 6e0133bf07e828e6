package io.pbft.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.cli.load.MachineUsage;
import io.pbft.cli.load.ProcessUsage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Rounds in turn: in each of them every service is started anew, warmed up until its throughput is steady, put through all cells,
 * and stopped. So what changes on the machine in the course of an hour meets all of them alike.
 */
final class Comparison {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Before the first cell, with a load that makes everything hot: compilers are at work for so long at least. */
    private static final int PRIMING_SECONDS_MIN = 45;

    private static final int CELL_WARM_UP_SECONDS_MIN = 3;
    private static final int CELL_WARM_UP_SECONDS_MAX = 10;

    /** What a cell takes besides: the last operations, the counting. */
    private static final int CELL_SECONDS_SLACK = 3;

    /** Starting servers and client. */
    private static final int START_SECONDS = 10;

    private final CompareCommand.Plan plan;
    private final Results results;
    private final Consumer<String> progress;
    private final long begun = System.nanoTime();

    Comparison(CompareCommand.Plan plan, Results results, Consumer<String> progress) {
        this.plan = plan;
        this.results = results;
        this.progress = progress;
    }

    /** Whether everything is measured: false when the time was up. */
    boolean run() throws Exception {
        for (int round = 1; round <= plan.rounds(); round++) {
            for (String service : plan.services()) {
                if (!isDone(round, service) && !visit(round, service)) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean isDone(int round, String service) {
        return missing(round, service).isEmpty()
                && (plan.atShare() == 0 || results.has(round, service, openLoop(round, service)));
    }

    private List<Cell> missing(int round, String service) {
        return plan.cells().stream()
                .filter(cell -> !results.has(round, service, cell))
                .toList();
    }

    /** The rate is rounded, so that it is the same when it is computed again. */
    private Cell openLoop(int round, String service) {
        Cell last = plan.cells().get(plan.cells().size() - 1);
        double rate = Math.max(1, Math.floor(plan.atShare() * results.perSecond(round, service, last)));
        return new Cell(last.operation(), last.size(), last.clients(), last.outstanding(), rate);
    }

    private boolean fits(double seconds) {
        return (System.nanoTime() - begun) / 1e9 + seconds <= plan.budgetSeconds();
    }

    private double cellSeconds() {
        return CELL_WARM_UP_SECONDS_MAX + plan.seconds() + CELL_SECONDS_SLACK;
    }

    private boolean visit(int round, String name) throws Exception {
        if (!fits(START_SECONDS + plan.warmUpMax() + cellSeconds())) {
            return false;
        }
        Path directory = Files.createTempDirectory("pbft-compare-");
        progress.accept("round " + round + ": " + name + " starts");
        try (Service service = Service.start(name, directory, plan.clients());
                Child client = client(service, directory)) {
            client.await("READY");
            for (long pid : service.pids()) {
                if (!ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false)) {
                    throw new IOException("a server of " + name + " has ended; its log is in " + directory);
                }
            }
            prime(client);
            for (Cell cell : missing(round, name)) {
                if (!fits(cellSeconds())) {
                    return false;
                }
                measure(round, name, service, client, cell);
            }
            if (plan.atShare() > 0) {
                if (!fits(cellSeconds())) {
                    return false;
                }
                measure(round, name, service, client, openLoop(round, name));
            }
        }
        PbftService.delete(directory);
        return true;
    }

    private Child client(Service service, Path directory) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("load"));
        arguments.addAll(service.clientArguments());
        arguments.addAll(List.of("--clients", Integer.toString(plan.clients())));
        return Child.client(Child.java(List.of("-Xmx1g"), arguments), directory.resolve("client.log"));
    }

    private void prime(Child client) throws IOException {
        Cell hot = new Cell(Cell.Operation.PUT, 100, plan.clients(), Math.max(100, plan.clients()), 0);
        client.say(Math.min(PRIMING_SECONDS_MIN, plan.warmUpMax()) + " " + plan.warmUpMax() + " 0.1 " + hot.encode());
        String[] steady = client.await("STEADY").split(" ", -1);
        client.say("go");
        double perSecond =
                JSON.readTree(client.await("RESULT")).get("perSecond").asDouble();
        progress.accept(String.format(
                Locale.ROOT, "  warm after %s s (%.0f operations/s, steady: %s)", steady[1], perSecond, steady[0]));
    }

    private void measure(int round, String name, Service service, Child client, Cell cell) throws Exception {
        client.say(
                CELL_WARM_UP_SECONDS_MIN + " " + CELL_WARM_UP_SECONDS_MAX + " " + plan.seconds() + " " + cell.encode());
        String[] steady = client.await("STEADY").split(" ", -1);
        service.beforeMeasuring();
        List<Long> pids = service.pids();
        String started = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        MachineUsage machineBefore = MachineUsage.now();
        ProcessUsage serversBefore = ProcessUsage.ofAll(pids);
        ProcessUsage clientBefore = ProcessUsage.of(client.pid());
        long from = System.nanoTime();
        client.say("go");
        client.await("END");
        ProcessUsage servers = ProcessUsage.ofAll(pids).since(serversBefore);
        ProcessUsage own = ProcessUsage.of(client.pid()).since(clientBefore);
        double busy = MachineUsage.now().busySince(machineBefore);
        double processorSeconds =
                (System.nanoTime() - from) / 1e9 * Runtime.getRuntime().availableProcessors();
        Optional<String> said = service.afterMeasuring();
        long resident = pids.stream()
                .mapToLong(pid -> ProcessUsage.of(pid).residentBytes())
                .max()
                .orElse(0);
        ObjectNode line = (ObjectNode) JSON.readTree(client.await("RESULT"));
        line.put("round", round)
                .put("service", name)
                .put("started", started)
                .put("steady", Boolean.parseBoolean(steady[0]))
                .put("warmUpSeconds", Long.parseLong(steady[1]))
                .put("servers", pids.size())
                .put("serverCpuSeconds", servers.cpuSeconds())
                .put("serverResidentBytes", resident)
                .put("contextSwitches", servers.waits() + servers.preemptions())
                .put("writtenBytes", servers.writtenBytes())
                .put("clientCpuSeconds", own.cpuSeconds())
                .put("foreignShare", Math.max(0, busy - (servers.cpuSeconds() + own.cpuSeconds()) / processorSeconds));
        line.set("cell", JSON.valueToTree(cell));
        Outcome outcome = JSON.treeToValue((JsonNode) line, Outcome.class);
        results.add(outcome);
        progress.accept(String.format(
                Locale.ROOT,
                "  %s: %.0f/s, p50 %.2f ms, p99 %.2f ms, %.0f us a server and operation%s%s",
                cell.describe(),
                outcome.perSecond(),
                outcome.p50Millis(),
                outcome.p99Millis(),
                outcome.serverMicrosPerOperation(),
                outcome.steady() ? "" : ", not steady",
                outcome.foreignShare() > Report.FOREIGN_SHARE_MAX ? ", not alone on the machine" : ""));
        said.ifPresent(words -> progress.accept("  " + words));
    }
}
