package io.pbft.client;

import java.util.Optional;

/**
 * The replicas agreed not to execute the operation where it stood in the order. The client begins a new session by
 * itself where the reason is the session. Whether it is safe to submit the operation again depends on the {@link #reason()}.
 */
public final class RejectedException extends PbftException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;
    private final transient Optional<Receipt> receipt;

    /** The reason that the replicas agreed on. */
    public enum Reason {
        /**
         * The session was forgotten, as this client's key has begun many others since, and is never served again. What was
         * sent once is not executed; if it had to be sent several times, an earlier copy may have been executed before the
         * session was forgotten.
         */
        SESSION_EXPIRED,
        /**
         * This machine's clock is further ahead of the cluster's agreed time than the cluster allows: set the clock. Nobody
         * remembers the rejection: a faulty replica that kept the operation could have it executed, once, when the agreed time
         * has come that far. Who submits it again accepts that both may be executed.
         */
        SESSION_IN_FUTURE,
        /**
         * The number lies beyond the session's window: the client's configuration is not the cluster's. Nobody remembers the
         * rejection: a faulty replica that kept the operation could have it executed, once, when the window has moved. Who
         * submits it again accepts that both may be executed.
         */
        OUT_OF_WINDOW,
        /**
         * The operation had no effect and never will, as its result found no room beside those that the replicas keep for this
         * client until it has them: see {@code resultBytesMax} in {@code io.pbft.protocol.ProtocolParameters}. It is
         * safe to submit it again once others that are outstanding are answered; who meets this should have fewer
         * large results outstanding.
         */
        RESULTS_FULL
    }

    RejectedException(Reason reason, String message, Optional<Receipt> receipt) {
        super(message);
        this.reason = reason;
        this.receipt = receipt;
    }

    public Reason reason() {
        return reason;
    }

    /** The proof that the replicas rejected it. */
    public Optional<Receipt> receipt() {
        return receipt;
    }
}
