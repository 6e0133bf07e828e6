package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code pbft delete}. */
@Command(
        name = "delete",
        description = {"Deletes a key, and says whether it was there.", "Exits with 0 either way."},
        footer = {"Example:", "  pbft delete --dir D greeting"})
final class DeleteCommand extends KvCommand {
    @Parameters(index = "0", paramLabel = "KEY", description = "Text, up to 4096 bytes in UTF-8.")
    private String key;

    @Override
    KvOperation operation() {
        return new KvOperation.Delete(Bytes.utf8(key));
    }

    @Override
    int show(KvResult result, PrintWriter out, ObjectNode document) {
        if (!(result instanceof KvResult.Deleted deleted)) {
            throw unexpected(result);
        }
        document.put("key", key);
        document.put("existed", deleted.existed());
        out.println(deleted.existed() ? "deleted" : "there was none");
        return Exit.OK;
    }
}
