package io.pbft.protocol;

import io.pbft.crypto.Signature;

/** A statement and a signature that claims to be its signer's: a claim until a {@link Verifier} has looked at it. */
public record Signed<S extends Statement>(S statement, Signature signature) implements Message {
    @Override
    public MessageType type() {
        return statement.type();
    }

    /** This, known to carry a statement of {@code kind}: a cast that fails loudly instead of later. */
    @SuppressWarnings("unchecked")
    public <T extends Statement> Signed<T> as(Class<T> kind) {
        if (!kind.isInstance(statement)) {
            throw new ClassCastException("a " + type() + " is not a " + kind.getSimpleName());
        }
        return (Signed<T>) this;
    }
}
