package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.client.ReadMode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.PrintWriter;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pbft scan}. */
@Command(
        name = "scan",
        description = "Prints the keys that begin with a prefix, in order, each with a tab and its value.",
        footer = {
            "Examples:",
            "  pbft scan --dir D",
            "  pbft scan --dir D user/ --limit 100",
            "  pbft scan --dir D user/ --limit 100 --after user/zoe",
            "",
            "One scan sees one state. Where a result is cut off, that is said on standard error."
        })
final class ScanCommand extends KvCommand {
    @Mixin
    private ReadOption read;

    @Parameters(
            index = "0",
            paramLabel = "PREFIX",
            arity = "0..1",
            defaultValue = "",
            description = "Text; every key by default.")
    private String prefix;

    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Keys at most, up to 1000 (${DEFAULT-VALUE}).")
    private int limit;

    @Option(names = "--after", paramLabel = "KEY", description = "Only keys that sort behind this one.")
    private @Nullable String after;

    @Override
    KvOperation operation() {
        return new KvOperation.Scan(
                Bytes.utf8(prefix), Optional.ofNullable(after).map(Bytes::utf8), limit);
    }

    @Override
    ReadMode mode(boolean withReceipt) {
        return read.mode(withReceipt);
    }

    @Override
    int show(KvResult result, PrintWriter out, ObjectNode document) {
        if (!(result instanceof KvResult.Entries found)) {
            throw unexpected(result);
        }
        ArrayNode entries = document.putArray("entries");
        for (KvResult.Entry entry : found.entries()) {
            ObjectNode row = entries.addObject();
            Json.put(row, "key", entry.key());
            Json.put(row, "value", entry.value());
            out.println(entry.key().toUtf8() + "\t" + entry.value().toUtf8());
        }
        document.put("more", found.more());
        if (found.more()) {
            String last = found.entries().isEmpty()
                    ? ""
                    : found.entries().get(found.entries().size() - 1).key().toUtf8();
            spec().commandLine().getErr().println("pbft: there are more; go on with --after '" + last + "'");
        }
        return Exit.OK;
    }
}
