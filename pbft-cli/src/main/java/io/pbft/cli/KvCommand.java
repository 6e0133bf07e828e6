package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.client.ClientConfig;
import io.pbft.client.NotSentException;
import io.pbft.client.OperationFailedException;
import io.pbft.client.OutcomeUnknownException;
import io.pbft.client.PbftClient;
import io.pbft.client.ReadMode;
import io.pbft.client.ReadTimeoutException;
import io.pbft.client.Receipt;
import io.pbft.client.RejectedException;
import io.pbft.client.Reply;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** One operation of the key-value service: connect, ask, print, and say by the exit code how it went. */
abstract class KvCommand implements Callable<Integer> {
    /** An operation that was given up is not waited for any longer. */
    private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(200);

    @Spec
    private CommandSpec spec;

    @Mixin
    private ClientOptions options;

    /** @throws IllegalArgumentException when there is no such operation */
    abstract KvOperation operation();

    /** How to ask: {@link ReadMode#ORDERED} for whatever changes something. */
    ReadMode mode(boolean withReceipt) {
        return ReadMode.ORDERED;
    }

    /** Prints a result in the words of the command, or puts it into {@code document}, and returns the exit code. */
    abstract int show(KvResult result, PrintWriter out, ObjectNode document);

    CommandSpec spec() {
        return spec;
    }

    @Override
    public final Integer call() {
        KvOperation operation;
        try {
            operation = operation();
        } catch (IllegalArgumentException e) {
            throw CliException.usage(e.getMessage() + "; nothing was sent", e);
        }
        options.receipt().ifPresent(KvCommand::requireWritable);
        ReadMode mode = mode(options.receipt().isPresent());
        ClientConfig config = options.config().withCloseTimeout(CLOSE_TIMEOUT);
        Reply reply;
        try (PbftClient client = PbftClient.connect(config)) {
            Bytes payload = operation.encode();
            reply = mode == ReadMode.FAST ? client.query(payload, mode) : client.call(payload);
        } catch (OperationFailedException e) {
            write(e.receipt());
            throw CliException.failed("the service refused it: " + e.getMessage());
        } catch (RejectedException e) {
            write(e.receipt());
            throw e;
        } catch (NotSentException e) {
            throw CliException.unreachable(notReached("it was not sent and will not be executed"), e);
        } catch (ReadTimeoutException e) {
            throw CliException.unreachable(notReached("a read changes nothing, ask again at will"), e);
        } catch (OutcomeUnknownException e) {
            throw CliException.unreachable(
                    notReached("the outcome is unknown: it may have been executed, or may still be, at most once"), e);
        }
        write(reply.receipt());
        ObjectNode document = Json.object();
        PrintWriter out = spec.commandLine().getOut();
        document.put("ok", true);
        int exit = show(
                KvResult.decode(reply.result()),
                options.json() ? new PrintWriter(PrintWriter.nullWriter()) : out,
                document);
        if (options.json()) {
            document.put("ok", exit == Exit.OK);
            document.put("seq", reply.seq());
            document.put("timeMillis", reply.timeMillis());
            options.receipt().ifPresent(file -> document.put("receipt", file.toString()));
            Json.print(out, document);
        }
        out.flush();
        return exit;
    }

    private String notReached(String certain) {
        return "no answer that enough replicas agree on within "
                + options.timeout().toMillis() / 1000.0 + " s; " + certain + ". See: pbft status --dir "
                + options.directory();
    }

    private static void requireWritable(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file) || parent == null || !Files.isDirectory(parent)) {
            throw CliException.usage("--receipt: " + file
                    + " cannot be written: expected a file in a directory that exists; nothing was sent");
        }
    }

    /** A proof of something that was done is not thrown away because its file cannot be written: then it goes to the log. */
    private void write(Optional<Receipt> receipt) {
        Optional<Path> file = options.receipt();
        if (file.isEmpty()) {
            return;
        }
        if (receipt.isEmpty()) {
            throw CliException.unreachable("the operation was answered, but without a receipt");
        }
        try {
            Files.write(file.get(), receipt.get().encode().toByteArray());
        } catch (IOException e) {
            throw CliException.usage("the operation was executed, but its receipt cannot be written to " + file.get()
                    + ": " + e + ". The receipt, in hexadecimal: "
                    + receipt.get().encode().toHex());
        }
    }

    /** What the replicas agreed on is of another kind than was asked for: cannot be while f or fewer of them lie. */
    static IllegalStateException unexpected(KvResult result) {
        return new IllegalStateException(
                "the service answered with " + result.getClass().getSimpleName());
    }
}
