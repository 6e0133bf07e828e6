package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code pbft put}. */
@Command(
        name = "put",
        description = "Sets a key to a value.",
        footer = {
            "Examples:",
            "  pbft put --dir D greeting 'hello world'",
            "  pbft put --dir D greeting hello --receipt put.receipt",
            "  pbft put --dir D -- --key-with-dashes value"
        })
final class PutCommand extends KvCommand {
    @Parameters(index = "0", paramLabel = "KEY", description = "Text, up to 4096 bytes in UTF-8.")
    private String key;

    @Parameters(index = "1", paramLabel = "VALUE", description = "Text, up to 253952 bytes in UTF-8; may be empty.")
    private String value;

    @Override
    KvOperation operation() {
        return new KvOperation.Put(Bytes.utf8(key), Bytes.utf8(value));
    }

    @Override
    int show(KvResult result, PrintWriter out, ObjectNode document) {
        if (!(result instanceof KvResult.Done)) {
            throw unexpected(result);
        }
        document.put("key", key);
        out.println("ok");
        return Exit.OK;
    }
}
