package io.pbft.client;

import org.jspecify.annotations.Nullable;

/**
 * What can go wrong for a user of this library, by type. Unchecked. Where one of these comes through a future, it is the cause
 * of the {@link java.util.concurrent.ExecutionException} or {@link java.util.concurrent.CompletionException}.
 */
public abstract sealed class PbftException extends RuntimeException
        permits ClosedException,
                ConfigException,
                NotAuthorisedException,
                NotSentException,
                OperationFailedException,
                OutcomeUnknownException,
                OverloadedException,
                ReadTimeoutException,
                RejectedException,
                WrongServiceException {
    private static final long serialVersionUID = 1L;

    PbftException(String message) {
        super(message);
    }

    PbftException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
