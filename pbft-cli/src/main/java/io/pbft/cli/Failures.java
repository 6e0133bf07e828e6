package io.pbft.cli;

import io.pbft.checkpoint.StorageFailure;
import io.pbft.client.ConfigException;
import io.pbft.client.NotAuthorisedException;
import io.pbft.client.OperationFailedException;
import io.pbft.client.PbftException;
import io.pbft.client.RejectedException;
import io.pbft.crypto.KeyFiles.KeyFileException;
import io.pbft.transport.TransportException;
import java.io.PrintWriter;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one sentence on standard error and an exit code; a stack trace only with {@code --verbose}. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
    @Override
    public int handleParseException(ParameterException error, String[] args) {
        CommandLine command = error.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("pbft: " + error.getMessage());
        UnmatchedArgumentException.printSuggestions(error, err);
        err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        err.flush();
        return Exit.USAGE;
    }

    @Override
    public int handleExecutionException(Exception error, CommandLine command, ParseResult parsed) {
        PrintWriter err = command.getErr();
        err.println("pbft: " + sentence(error));
        if (PbftCommand.isVerbose(command)) {
            err.println(StackTraces.of(error));
        } else if (isUnexpected(error)) {
            err.println("This is a defect of pbft; --verbose shows where it happened.");
        }
        err.flush();
        return exitCode(error);
    }

    static int exitCode(Throwable error) {
        if (error instanceof CliException cli) {
            return cli.exitCode();
        }
        if (error instanceof OperationFailedException) {
            return Exit.DOES_NOT_HOLD;
        }
        if (error instanceof RejectedException rejected) {
            return rejected.reason() == RejectedException.Reason.SESSION_EXPIRED ? Exit.UNREACHABLE : Exit.USAGE;
        }
        boolean configuration = error instanceof ConfigException
                || error instanceof NotAuthorisedException
                || error instanceof io.pbft.protocol.ConfigException
                || error instanceof KeyFileException
                || error instanceof TransportException
                || error instanceof StorageFailure;
        return configuration ? Exit.USAGE : Exit.UNREACHABLE;
    }

    static String sentence(Throwable error) {
        return isUnexpected(error) ? "unexpected " + error : String.valueOf(error.getMessage());
    }

    private static boolean isUnexpected(Throwable error) {
        return !(error instanceof CliException
                || error instanceof PbftException
                || error instanceof io.pbft.protocol.ConfigException
                || error instanceof KeyFileException
                || error instanceof TransportException
                || error instanceof StorageFailure);
    }

    /** "1 replica", "2 replicas". */
    static String count(long number, String noun) {
        return String.format(Locale.ROOT, "%d %s%s", number, noun, number == 1 ? "" : "s");
    }
}
