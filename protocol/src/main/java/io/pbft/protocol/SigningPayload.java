package io.pbft.protocol;

import io.pbft.crypto.Digest;
import java.nio.charset.StandardCharsets;

/**
 * The bytes that a signature covers: 72 of them, whatever the statement.
 *
 * <pre>
 *   "pbft.v1"   7 bytes of ASCII: no signature of another protocol is one of this one's
 *   type        1 byte, {@link MessageType#code}: none of a PREPARE is one of a COMMIT (trap 6)
 *   cluster    32 bytes, the cluster's id: none of another cluster's
 *   statement  32 bytes, SHA-256 of the statement's canonical encoding, its signer's number in it
 * </pre>
 */
public final class SigningPayload {
    private static final byte[] DOMAIN = "pbft.v1".getBytes(StandardCharsets.US_ASCII);

    /** In bytes. */
    public static final int SIZE = DOMAIN.length + 1 + 2 * Digest.SIZE;

    private SigningPayload() {}

    public static byte[] of(Digest clusterId, Statement statement) {
        return of(clusterId, statement.type(), Codec.digest(statement));
    }

    /** @param statement the statement's {@link Codec#digest(Statement)} */
    static byte[] of(Digest clusterId, MessageType type, Digest statement) {
        byte[] payload = new byte[SIZE];
        System.arraycopy(DOMAIN, 0, payload, 0, DOMAIN.length);
        payload[DOMAIN.length] = type.code();
        clusterId.copyTo(payload, DOMAIN.length + 1);
        statement.copyTo(payload, DOMAIN.length + 1 + Digest.SIZE);
        return payload;
    }
}
