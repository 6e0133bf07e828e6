package io.pbft.cli;

import org.jspecify.annotations.Nullable;

/** Ends a command: a sentence for the user, who is told nothing else, and the exit code. */
final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    private CliException(int exitCode, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /** Wrong usage or configuration. */
    static CliException usage(String message) {
        return new CliException(Exit.USAGE, message, null);
    }

    static CliException usage(String message, Throwable cause) {
        return new CliException(Exit.USAGE, message, cause);
    }

    /** The thing asked about does not hold. */
    static CliException failed(String message) {
        return new CliException(Exit.DOES_NOT_HOLD, message, null);
    }

    /** Not reachable, or the outcome is unknown. */
    static CliException unreachable(String message) {
        return new CliException(Exit.UNREACHABLE, message, null);
    }

    static CliException unreachable(String message, Throwable cause) {
        return new CliException(Exit.UNREACHABLE, message, cause);
    }

    int exitCode() {
        return exitCode;
    }
}
