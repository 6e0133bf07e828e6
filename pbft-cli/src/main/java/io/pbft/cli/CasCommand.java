package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code pbft cas}. */
@Command(
        name = "cas",
        description = {
            "Sets a key to NEW if its value is OLD.",
            "Exits with 1 where it is not, and changes nothing then."
        },
        customSynopsis = {"pbft cas [OPTIONS] --dir D KEY OLD NEW", "pbft cas [OPTIONS] --dir D --absent KEY NEW"},
        footer = {
            "Examples:",
            "  pbft cas --dir D leader alice bob",
            "  pbft cas --dir D --absent leader alice     only if there is no such key"
        })
final class CasCommand extends KvCommand {
    @Option(names = "--absent", description = "Expect that there is no such key, instead of OLD.")
    private boolean absent;

    @Parameters(arity = "2..3", paramLabel = "KEY [OLD] NEW", hideParamSyntax = true, description = "Texts, in UTF-8.")
    private List<String> words;

    @Override
    KvOperation operation() {
        int expected = absent ? 2 : 3;
        if (words.size() != expected) {
            throw new ParameterException(
                    spec().commandLine(),
                    "expected " + (absent ? "KEY NEW after --absent" : "KEY OLD NEW") + ", found "
                            + Failures.count(words.size(), "word"));
        }
        Optional<Bytes> old = absent ? Optional.empty() : Optional.of(Bytes.utf8(words.get(1)));
        return new KvOperation.CompareAndSet(Bytes.utf8(words.get(0)), old, Bytes.utf8(words.get(expected - 1)));
    }

    @Override
    int show(KvResult result, PrintWriter out, ObjectNode document) {
        if (!(result instanceof KvResult.Swapped swapped)) {
            throw unexpected(result);
        }
        document.put("key", words.get(0));
        document.put("swapped", swapped.done());
        if (!swapped.done()) {
            spec().commandLine()
                    .getErr()
                    .println("pbft: the value of \"" + words.get(0)
                            + "\" is not what was expected; it was left as it is");
            return Exit.DOES_NOT_HOLD;
        }
        out.println("ok");
        return Exit.OK;
    }
}
