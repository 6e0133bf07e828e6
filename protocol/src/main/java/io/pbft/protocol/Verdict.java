package io.pbft.protocol;

/** What a {@link Verifier} says of a message: a verified one, or one reason why not. */
public sealed interface Verdict {
    record Accepted(Verified<?> message) implements Verdict {}

    /** @param detail for a person who reads a log: what was expected and what was found */
    record Rejected(Rejection reason, String detail) implements Verdict {}
}
