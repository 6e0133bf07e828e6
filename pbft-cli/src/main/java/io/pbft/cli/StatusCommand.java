package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Quorum;
import io.pbft.replica.TransferReport;
import io.pbft.replica.server.ReplicaStatus;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft status}. */
@Command(
        name = "status",
        description = {
            "Asks the replicas of this machine where they stand.",
            "Exits with 3 where fewer than a quorum are at work: then the cluster cannot make progress."
        },
        footer = {
            "Examples:",
            "  pbft status --dir D",
            "  pbft status --dir D --json",
            "",
            "executed and stable are sequence numbers: the last one executed, and the last stable checkpoint. lag: how",
            "far executed is behind the furthest replica; log: of how many sequence numbers it holds messages."
        })
final class StatusCommand implements Callable<Integer> {
    private static final String ROW = "%-8s %-8s %-12s %6s %10s %10s %6s %6s  %-16s %8s  %s";

    @Spec
    private CommandSpec spec;

    @Mixin
    private ClusterDirOption dir;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Override
    public Integer call() {
        ClusterFolder folder = dir.folder();
        ClusterConfig cluster = folder.read();
        List<ReplicaRow> rows = ReplicaRow.askAll(folder, cluster);
        Quorum quorum = cluster.quorum();
        long work = rows.stream().filter(ReplicaRow::works).count();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Json.print(out, document(quorum, rows));
        } else {
            table(cluster, rows, out);
        }
        out.flush();
        if (work >= quorum.quorum()) {
            return Exit.OK;
        }
        throw CliException.unreachable(
                work + " of " + quorum.replicas() + " replicas are at work on this machine, a quorum is "
                        + quorum.quorum() + "; start the others with: pbft replica --dir " + folder.path() + " --id I");
    }

    private static ObjectNode document(Quorum quorum, List<ReplicaRow> rows) {
        ObjectNode document = Json.object();
        document.put("quorum", quorum.quorum());
        document.put("f", quorum.faulty());
        document.put(
                "reachable", rows.stream().filter(row -> row.status() != null).count());
        long furthest = furthest(rows);
        ArrayNode replicas = document.putArray("replicas");
        for (ReplicaRow row : rows) {
            ObjectNode node = replicas.addObject();
            node.put("id", row.id());
            ReplicaStatus status = row.status();
            if (status == null) {
                node.putNull("pid").put("reachable", false);
                for (String field : List.of("role", "view", "lastExecuted", "stableCheckpoint", "stateRoot")) {
                    node.putNull(field);
                }
                node.put("problem", row.problem());
                continue;
            }
            node.put("pid", status.pid()).put("reachable", true);
            node.put("role", status.role());
            node.put("view", status.view());
            node.put("lastExecuted", status.lastExecuted());
            node.put("stableCheckpoint", status.stableCheckpoint());
            node.put("stateRoot", status.stateRoot());
            node.put("state", status.state());
            node.put("lag", furthest - status.lastExecuted());
            node.put("logSlots", status.logSlots());
            node.put("queued", status.queued());
            node.put("executedOperations", status.executedOperations());
            node.put("viewChanges", status.viewChanges());
            node.put("uptimeMillis", status.uptimeMillis());
            status.connectedReplicas().forEach(node.putArray("connectedReplicas")::add);
            node.set("transfer", transfer(status.transfer()));
            node.putObject("disk")
                    .put("scrubs", status.disk().scrubs())
                    .put("damaged", status.disk().damaged())
                    .put("repaired", status.disk().repaired())
                    .put("journalDamages", status.disk().journal().size());
            node.put("halted", status.halted());
        }
        return document;
    }

    private static @Nullable ObjectNode transfer(@Nullable TransferReport transfer) {
        if (transfer == null) {
            return null;
        }
        ObjectNode node = Json.object();
        node.put("target", transfer.seq());
        node.put("phase", transfer.phase());
        node.put("bytesReceived", transfer.bytesReceived());
        node.put("bytesExpected", transfer.bytesExpected());
        node.put("entriesMissing", transfer.entriesMissing());
        node.put("entries", transfer.entries());
        ArrayNode sources = node.putArray("sources");
        for (TransferReport.Source source : transfer.sources()) {
            sources.addObject()
                    .put("id", source.replica())
                    .put("state", source.state())
                    .put("bytesReceived", source.bytesReceived());
        }
        return node;
    }

    /** The lines of a state transfer, below its replica's. */
    private static String text(TransferReport transfer) {
        String sources = transfer.sources().stream()
                .map(source -> "replica " + source.replica() + " (" + words(source.state()) + ", "
                        + megabytes(source.bytesReceived()) + ")")
                .collect(Collectors.joining(", "));
        return "         " + words(transfer.phase()) + " the state of checkpoint " + transfer.seq() + ": "
                + megabytes(transfer.bytesReceived()) + " of about " + megabytes(transfer.bytesExpected()) + ", "
                + transfer.entriesMissing() + " of " + transfer.entries() + " entries missing"
                + System.lineSeparator() + "         from " + sources;
    }

    private static String words(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }

    private static void table(ClusterConfig cluster, List<ReplicaRow> rows, PrintWriter out) {
        out.println(String.format(
                Locale.ROOT,
                ROW,
                "replica",
                "role",
                "state",
                "view",
                "executed",
                "stable",
                "lag",
                "log",
                "state root",
                "pid",
                "address"));
        long furthest = furthest(rows);
        for (ReplicaRow row : rows) {
            String address = cluster.replicas().get(row.id()).address();
            ReplicaStatus status = row.status();
            if (status == null) {
                out.println(String.format(Locale.ROOT, "%-8d %-8s %s (%s)", row.id(), "-", row.problem(), address));
                continue;
            }
            out.println(String.format(
                    Locale.ROOT,
                    ROW,
                    row.id(),
                    status.role(),
                    words(status.state()),
                    status.view(),
                    status.lastExecuted(),
                    status.stableCheckpoint(),
                    furthest - status.lastExecuted(),
                    status.logSlots(),
                    status.stateRoot()
                            .substring(0, Math.min(16, status.stateRoot().length())),
                    status.pid(),
                    address));
            TransferReport transfer = status.transfer();
            if (transfer != null) {
                out.println(text(transfer));
            }
            if (status.disk().damaged() > 0) {
                out.println("         its disk has damaged "
                        + Failures.count(status.disk().damaged(), "record") + " of the state, of which "
                        + status.disk().repaired() + " are put back");
            }
            status.disk().journal().forEach(damage -> out.println("         damaged: " + damage));
            if (status.halted() != null) {
                out.println("         halted: " + status.halted());
            }
        }
    }

    private static long furthest(List<ReplicaRow> rows) {
        long furthest = 0;
        for (ReplicaRow row : rows) {
            ReplicaStatus status = row.status();
            furthest = status == null ? furthest : Math.max(furthest, status.lastExecuted());
        }
        return furthest;
    }
}
