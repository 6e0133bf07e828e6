package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code pbft incr}. */
@Command(
        name = "incr",
        description = {"Adds to the number at a key and prints the sum.", "A key that is missing counts as 0."},
        footer = {"Examples:", "  pbft incr --dir D visits", "  pbft incr --dir D stock -5"})
final class IncrCommand extends KvCommand {
    @Parameters(index = "0", paramLabel = "KEY", description = "Text, up to 4096 bytes in UTF-8.")
    private String key;

    @Parameters(
            index = "1",
            paramLabel = "BY",
            arity = "0..1",
            defaultValue = "1",
            description = "A whole number of 64 bits, may be negative (${DEFAULT-VALUE}).")
    private String by;

    @Override
    KvOperation operation() {
        try {
            return new KvOperation.Increment(Bytes.utf8(key), Long.parseLong(by));
        } catch (NumberFormatException e) {
            throw new ParameterException(
                    spec().commandLine(), "BY: expected a whole number of 64 bits, found '" + by + "'", e);
        }
    }

    @Override
    int show(KvResult result, PrintWriter out, ObjectNode document) {
        if (!(result instanceof KvResult.Incremented sum)) {
            throw unexpected(result);
        }
        document.put("key", key);
        document.put("value", sum.value());
        out.println(sum.value());
        return Exit.OK;
    }
}
