package io.pbft.protocol;

/** Why a {@link Verifier} does not accept a message: one reason each, so that they can be counted. */
public enum Rejection {
    /** The connection's node is not in the configuration, or nodes of its kind do not send this. */
    WRONG_SENDER,
    /** A statement names a signer that the configuration does not have. */
    UNKNOWN_SIGNER,
    /** A signature is not its signer's over this statement in this cluster. */
    BAD_SIGNATURE,
    /** A PRE-PREPARE or NEW-VIEW is not by the primary of its view. */
    NOT_BY_PRIMARY,
    /** A PREPARE is by the primary of its view: its PRE-PREPARE stands for it, and it must not count twice (trap 3). */
    PREPARE_BY_PRIMARY,
    /** A view that this statement cannot be about. */
    BAD_VIEW,
    /** A sequence number that this statement cannot be about. */
    BAD_SEQ,
    /** Not as many votes as a certificate has, exactly. */
    WRONG_COUNT,
    /** Votes of a certificate, or entries of a VIEW-CHANGE or NEW-VIEW, not in ascending order, each once. */
    NOT_ASCENDING,
    /** A vote in a certificate is for something else than the certificate. */
    VOTE_MISMATCH,
    /** The checkpoint at 0 is not {@link CheckpointCertificate#GENESIS}. */
    BAD_GENESIS,
    /** Fields of a request contradict each other or lie outside their range. */
    BAD_REQUEST,
    /** The time or the size of a batch is out of range. */
    BAD_BATCH,
    /** One request stands twice in a batch. */
    DUPLICATE_REQUEST,
    /** A batch, or a result, does not have the digest that goes with it. */
    DIGEST_MISMATCH,
    /** A reply's leaf does not lead to the root that its replica signed. */
    BAD_PATH,
    /** A reply is for another client. */
    WRONG_CLIENT,
    /** A field of an unsigned message lies outside its range. */
    BAD_FIELD
}
