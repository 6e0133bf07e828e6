package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.client.Receipt;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Equivocation;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.Vote;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pbft verify}. Everything in it is computed from two files; nobody is asked. */
@Command(
        name = "verify",
        description = {
            "Checks a receipt, or evidence against a replica, offline.",
            "It needs nothing but cluster.json. Receipts come from --receipt of put, get and so on; evidence lies in"
                    + " replica-I/evidence/. Exits with 1 where the file does not prove what it says."
        },
        footer = {"Example:", "  pbft verify --config my-cluster/cluster.json put.receipt"})
final class VerifyCommand implements Callable<Integer> {
    /** Two frames, and some. */
    private static final int FILE_BYTES_MAX = 72 << 20;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--config",
            required = true,
            paramLabel = "cluster.json",
            description = "The cluster's configuration.")
    private Path config;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Parameters(index = "0", paramLabel = "FILE", description = "A receipt or evidence.")
    private Path file;

    /** What was found: the sentences for a reader, and the document for a program. */
    private record Finding(boolean valid, List<String> sentences, ObjectNode document) {
        Finding {
            sentences = List.copyOf(sentences);
        }
    }

    @Override
    public Integer call() {
        ClusterConfig cluster = ClusterConfig.read(config, new Ed25519());
        Bytes content = content();
        Finding finding = Equivocation.isOne(content) ? evidence(cluster, content) : receipt(cluster, content);
        if (json) {
            Json.print(spec.commandLine().getOut(), finding.document());
        } else {
            finding.sentences().forEach(spec.commandLine().getOut()::println);
        }
        spec.commandLine().getOut().flush();
        return finding.valid() ? Exit.OK : Exit.DOES_NOT_HOLD;
    }

    private Bytes content() {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] content = in.readNBytes(FILE_BYTES_MAX + 1);
            if (content.length > FILE_BYTES_MAX) {
                throw CliException.usage(file + " is larger than any receipt or evidence can be");
            }
            return Bytes.wrap(content);
        } catch (NoSuchFileException e) {
            throw CliException.usage("there is no file " + file, e);
        } catch (IOException e) {
            throw CliException.usage("cannot read " + file + ": " + e, e);
        }
    }

    private static Finding receipt(ClusterConfig cluster, Bytes content) {
        ObjectNode document = Json.object();
        document.put("kind", "receipt");
        Receipt.Verdict verdict = Receipt.verify(cluster, new Ed25519(), content);
        document.put("valid", verdict.valid());
        if (!verdict.valid()) {
            document.put("reason", verdict.reason());
            return new Finding(false, List.of("This receipt proves nothing: " + verdict.reason() + "."), document);
        }
        Receipt receipt = Receipt.decode(content);
        List<Integer> signed = new ArrayList<>();
        receipt.trees().forEach(tree -> tree.signatories().forEach(by -> signed.add(by.replica())));
        String operation = operation(receipt.operation());
        String result = result(receipt);
        document.put("client", receipt.leaf().client());
        document.put("seq", receipt.leaf().seq());
        document.put("timeMillis", receipt.leaf().timeMillis());
        document.put("operation", operation);
        document.put("outcome", receipt.leaf().outcome().name());
        document.put("result", result);
        signed.forEach(document.putArray("replicas")::add);
        return new Finding(
                true,
                List.of(
                        "The receipt holds.",
                        "Client " + receipt.leaf().client() + " asked for: " + operation,
                        "It was ordered as number " + receipt.leaf().seq() + ", at the agreed time "
                                + Instant.ofEpochMilli(receipt.leaf().timeMillis()) + ", and the result was: " + result,
                        "Replicas " + signed + " signed this; "
                                + cluster.quorum().weak() + " of "
                                + cluster.quorum().replicas() + " suffice, as at most "
                                + cluster.quorum().faulty() + " may be faulty."),
                document);
    }

    private static Finding evidence(ClusterConfig cluster, Bytes content) {
        ObjectNode document = Json.object();
        document.put("kind", "evidence");
        String reason;
        try {
            Equivocation evidence = Equivocation.decode(content);
            document.put("accused", evidence.accused().toString());
            if (evidence.verify(new Verifier(cluster, new Ed25519(), 0))) {
                document.put("valid", true);
                document.put("first", describe(evidence.first().statement()));
                document.put("second", describe(evidence.second().statement()));
                return new Finding(
                        true,
                        List.of(
                                "The evidence holds: " + evidence.accused()
                                        + " is faulty, or its key is in other hands.",
                                "It signed: " + describe(evidence.first().statement()),
                                "It signed as well: "
                                        + describe(evidence.second().statement()),
                                "No correct replica signs both."),
                        document);
            }
            reason = "a signature is not " + evidence.accused() + "'s";
        } catch (MalformedMessage e) {
            reason = String.valueOf(e.getMessage());
        }
        document.put("valid", false);
        document.put("reason", reason);
        return new Finding(false, List.of("This evidence proves nothing: " + reason + "."), document);
    }

    private static String describe(Statement statement) {
        if (statement instanceof Vote vote) {
            return vote.type() + " of digest " + vote.digest().toHex() + " for view " + vote.view()
                    + ", sequence number " + vote.seq();
        }
        return statement.toString();
    }

    /** In the words of the key-value service where it is one of its operations, otherwise in hexadecimal. */
    private static String operation(Bytes payload) {
        try {
            KvOperation operation = KvOperation.decode(payload);
            if (operation instanceof KvOperation.Put put) {
                return "put " + Json.show(put.key()) + " " + Json.show(put.value());
            }
            if (operation instanceof KvOperation.Get get) {
                return "get " + Json.show(get.key());
            }
            if (operation instanceof KvOperation.Delete delete) {
                return "delete " + Json.show(delete.key());
            }
            if (operation instanceof KvOperation.CompareAndSet cas) {
                return "cas " + Json.show(cas.key()) + " "
                        + cas.expected().map(Json::show).orElse("(absent)") + " " + Json.show(cas.value());
            }
            if (operation instanceof KvOperation.Increment increment) {
                return "incr " + Json.show(increment.key()) + " " + increment.by();
            }
            return "scan " + Json.show(((KvOperation.Scan) operation).prefix());
        } catch (MalformedMessage e) {
            return "0x" + payload.toHex();
        }
    }

    private static String result(Receipt receipt) {
        if (receipt.leaf().outcome() != Outcome.EXECUTED) {
            return receipt.leaf().outcome() + " " + Json.show(receipt.result());
        }
        try {
            KvResult result = KvResult.decode(receipt.result());
            if (result instanceof KvResult.Value value) {
                return value.value().map(Json::show).orElse("absent");
            }
            if (result instanceof KvResult.Deleted deleted) {
                return deleted.existed() ? "deleted" : "there was none";
            }
            if (result instanceof KvResult.Swapped swapped) {
                return swapped.done() ? "swapped" : "not swapped";
            }
            if (result instanceof KvResult.Incremented incremented) {
                return Long.toString(incremented.value());
            }
            if (result instanceof KvResult.Entries entries) {
                return Failures.count(entries.entries().size(), "key");
            }
            return "done";
        } catch (MalformedMessage e) {
            return "0x" + receipt.result().toHex();
        }
    }
}
