package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.client.ReadMode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pbft get}. */
@Command(
        name = "get",
        description = {"Prints the value of a key and a newline.", "Exits with 1 where there is none."},
        footer = {
            "Examples:",
            "  pbft get --dir D greeting",
            "  pbft get --dir D greeting --read ordered --receipt get.receipt --json"
        })
final class GetCommand extends KvCommand {
    @Mixin
    private ReadOption read;

    @Parameters(index = "0", paramLabel = "KEY", description = "Text, up to 4096 bytes in UTF-8.")
    private String key;

    @Override
    KvOperation operation() {
        return new KvOperation.Get(Bytes.utf8(key));
    }

    @Override
    ReadMode mode(boolean withReceipt) {
        return read.mode(withReceipt);
    }

    @Override
    int show(KvResult result, PrintWriter out, ObjectNode document) {
        if (!(result instanceof KvResult.Value found)) {
            throw unexpected(result);
        }
        document.put("key", key);
        document.put("found", found.value().isPresent());
        if (found.value().isEmpty()) {
            document.putNull("value");
            spec().commandLine().getErr().println("pbft: there is no key \"" + key + "\"");
            return Exit.DOES_NOT_HOLD;
        }
        Json.put(document, "value", found.value().get());
        out.println(found.value().get().toUtf8());
        return Exit.OK;
    }
}
