package io.pbft.client;

import java.util.Optional;

/**
 * The state machine refused the operation with an error, and its changes were undone; the message is the state machine's. The
 * replicas agree on this as they agree on results.
 */
public final class OperationFailedException extends PbftException {
    private static final long serialVersionUID = 1L;

    private final transient Optional<Receipt> receipt;

    OperationFailedException(String message, Optional<Receipt> receipt) {
        super(message);
        this.receipt = receipt;
    }

    /** The proof that it failed; nothing for a read that was not ordered. */
    public Optional<Receipt> receipt() {
        return receipt;
    }
}
