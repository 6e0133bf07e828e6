package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.FormatMethod;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.NodeId;
import io.pbft.replica.server.FolderInspection;
import io.pbft.replica.server.ReplicaFolder;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft inspect}: what lies in the folder of a replica that does not run. */
@Command(
        name = "inspect",
        description = {
            "Shows what the folder of a stopped replica holds: its view, what it promised, its checkpoints with their",
            "proofs, its state. It verifies all of it and changes nothing. Exits with 1 where something is damaged."
        },
        footer = {"Examples:", "  pbft inspect --dir D --id 2", "  pbft inspect --dir D --id 2 --json"})
final class InspectCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ClusterDirOption dir;

    @Option(names = "--id", required = true, paramLabel = "I", description = "Which replica, counted from 0.")
    private int id;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Override
    public Integer call() {
        ClusterFolder clusterFolder = dir.folder();
        ClusterConfig cluster = clusterFolder.read();
        if (!cluster.has(NodeId.replica(id))) {
            throw CliException.usage("--id: there is no replica " + id + " in " + clusterFolder.configFile()
                    + "; expected 0 to " + (cluster.replicas().size() - 1));
        }
        ReplicaFolder folder = ReplicaFolder.of(clusterFolder.path(), id);
        FolderInspection found = FolderInspection.of(cluster, id, folder);
        long high = found.stable().seq() + cluster.parameters().window();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Json.print(out, document(folder, found, high));
        } else {
            print(out, folder, found, high);
        }
        out.flush();
        return found.damages().isEmpty() ? Exit.OK : Exit.DOES_NOT_HOLD;
    }

    private static List<Integer> signers(FolderInspection found) {
        return found.stable().proof().stream()
                .map(signed -> signed.statement().replica())
                .sorted()
                .toList();
    }

    private ObjectNode document(ReplicaFolder folder, FolderInspection found, long high) {
        ObjectNode document = Json.object();
        document.put("id", id).put("folder", folder.path().toString());
        document.put("neverStarted", found.neverStarted()).put("rejoining", found.rejoining());
        document.put("view", found.view()).put("viewLeftFor", found.viewLeftFor());
        document.putObject("window").put("low", found.stable().seq()).put("high", high);
        ObjectNode stable = document.putObject("stable");
        stable.put("seq", found.stable().seq())
                .put("stateRoot", found.stable().state().toHex());
        signers(found).forEach(stable.putArray("signers")::add);
        ArrayNode checkpoints = document.putArray("checkpoints");
        for (Checkpoint own : found.checkpoints()) {
            checkpoints
                    .addObject()
                    .put("seq", own.seq())
                    .put("stateRoot", own.state().toHex());
        }
        ObjectNode promises = document.putObject("promises");
        found.promises()
                .forEach((kind, range) -> promises.putObject(kind.name())
                        .put("entries", range.entries())
                        .put("first", range.first())
                        .put("last", range.last()));
        document.putObject("journal")
                .put("bytes", found.journal().bytes())
                .put("segments", found.journal().segments())
                .put("groups", found.journal().groups())
                .put("tornBytes", found.journal().tornBytes());
        document.putObject("state")
                .put("bytes", found.state().bytes())
                .put("seq", found.state().seq())
                .put("root", found.state().root().toHex())
                .put("entries", found.state().entries());
        found.damages().forEach(document.putArray("damages")::add);
        document.put("promisesLost", found.promisesLost());
        return document;
    }

    private void print(PrintWriter out, ReplicaFolder folder, FolderInspection found, long high) {
        line(out, "replica %d in %s%s", id, folder.path(), note(found));
        line(
                out,
                "view      %d%s",
                found.view(),
                found.viewLeftFor() > found.view() ? ", left for view " + found.viewLeftFor() : "");
        line(
                out,
                "stable    %d, state root %s, signed by replicas %s",
                found.stable().seq(),
                found.stable().state().toHex(),
                signers(found));
        line(out, "window    above %d, up to %d", found.stable().seq(), high);
        for (Checkpoint own : found.checkpoints()) {
            line(out, "vouched   %d, state root %s", own.seq(), own.state().toHex());
        }
        found.promises()
                .forEach((kind, range) -> line(
                        out,
                        "promised  %-11s %6d, of sequence numbers %d to %d",
                        kind,
                        range.entries(),
                        range.first(),
                        range.last()));
        line(
                out,
                "journal   %,d bytes in %d segments, %d writes%s",
                found.journal().bytes(),
                found.journal().segments(),
                found.journal().groups(),
                found.journal().tornBytes() > 0 ? "; the last one was cut short, and is dropped" : "");
        line(
                out,
                "state     %,d bytes, at %d, root %s, %,d entries",
                found.state().bytes(),
                found.state().seq(),
                found.state().root().toHex(),
                found.state().entries());
        found.damages().forEach(damage -> line(out, "DAMAGE    %s", damage));
        if (found.promisesLost()) {
            line(out, "Promises may be lost: it starts only with --rejoin.");
        } else if (!found.damages().isEmpty()) {
            line(out, "No promise is lost: it starts, and gets what is damaged from the others.");
        }
    }

    private static String note(FolderInspection found) {
        if (found.neverStarted()) {
            return ", which never ran";
        }
        return found.rejoining() ? ", which rejoins and may not vote yet" : "";
    }

    @FormatMethod
    private static void line(PrintWriter out, String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }
}
