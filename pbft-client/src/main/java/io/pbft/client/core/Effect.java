package io.pbft.client.core;

import io.pbft.protocol.Message;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Request;
import java.util.List;

/** What a client's core wants done. The driver carries effects out in the order in which the core emitted them. */
public sealed interface Effect {
    /**
     * Sends a request, signed, to these replicas. The first time, the driver signs it; each time after that it sends the very
     * bytes that it sent before. {@link Request#first} tells requests apart.
     */
    record SendRequest(List<Integer> to, Request request) implements Effect {
        public SendRequest {
            to = List.copyOf(to);
        }
    }

    /** The request whose first number this is will not be sent again: its signed bytes may go. */
    record ForgetRequest(long first) implements Effect {}

    /** Sends a message that nobody signs to one replica. It may be lost. */
    record Send(int to, Message message) implements Effect {}

    /** f + 1 replicas agree on what became of an operation, whatever that is. */
    record Complete(long ticket, Answer answer) implements Effect {}

    /** Enough replicas agree on the answer to a read. */
    record CompleteRead(long ticket, ReadAnswer answer) implements Effect {}

    /**
     * The outcome is not known. After {@link Failure#UNKNOWN} either a {@link Complete} follows or {@link Failure#GIVEN_UP} or
     * {@link Failure#SESSION_LOST}, however late; after the others nothing follows.
     */
    record Fail(long ticket, Failure failure) implements Effect {}

    /**
     * The session is over, for the reason that the replicas gave: the driver answers with {@link Input.SessionBegan}. Until
     * then what is submitted waits.
     */
    record BeginSession(Outcome reason) implements Effect {}
}
