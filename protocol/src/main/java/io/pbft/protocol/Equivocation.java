package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.MalformedMessage.Reason;

/**
 * Proof that a replica is faulty: two statements that it signed and that no correct replica signs both. Anybody who
 * has the cluster's configuration can check it; nobody can make one up about a replica whose key is its own.
 *
 * <p>As a file: the eight ASCII bytes {@code pbft-eqv}, a version byte 1, and the two frames, each after its u32
 * length.
 */
public record Equivocation(Signed<?> first, Signed<?> second) {
    private static final Bytes MAGIC = Bytes.utf8("pbft-eqv");
    private static final int VERSION = 1;

    /** @throws IllegalArgumentException when the two do not conflict */
    public Equivocation {
        if (!conflicts(first.statement(), second.statement())) {
            throw new IllegalArgumentException("no conflict between " + first.type() + " and " + second.type() + " of "
                    + first.statement().signer() + " and " + second.statement().signer());
        }
    }

    /**
     * Whether one signer said both and must not have: two digests for one (type, view, seq), two states for one
     * checkpoint, two VIEW-CHANGEs for one view, two NEW-VIEWs of one view. A statement never conflicts with itself,
     * however often signed.
     */
    public static boolean conflicts(Statement a, Statement b) {
        if (a.type() != b.type() || !a.signer().equals(b.signer())) {
            return false;
        }
        return switch (a.type()) {
            case PRE_PREPARE, PREPARE, COMMIT -> conflicts((Vote) a, (Vote) b);
            case CHECKPOINT -> conflicts((Checkpoint) a, (Checkpoint) b);
            case VIEW_CHANGE -> ((ViewChange) a).view() == ((ViewChange) b).view() && !a.equals(b);
            case NEW_VIEW -> ((NewView) a).view() == ((NewView) b).view() && !a.equals(b);
            case REQUEST,
                    REPLY_ROOT,
                    PROPOSAL,
                    REPLY,
                    REPLY_FETCH,
                    REFUSAL,
                    READ_REQUEST,
                    READ_REPLY,
                    STATUS,
                    DECISION,
                    STABLE_PROOF,
                    BATCH_FETCH,
                    BATCH_BODY,
                    STATE_FETCH,
                    STATE_NODES -> false;
        };
    }

    private static boolean conflicts(Vote a, Vote b) {
        return a.view() == b.view() && a.seq() == b.seq() && !a.digest().equals(b.digest());
    }

    private static boolean conflicts(Checkpoint a, Checkpoint b) {
        return a.seq() == b.seq() && !a.state().equals(b.state());
    }

    /** Who is faulty. */
    public NodeId accused() {
        return first.statement().signer();
    }

    /** Whether both signatures are the accused's: the conflict is there by construction. */
    public boolean verify(Verifier verifier) {
        return verifier.isSigned(first) && verifier.isSigned(second);
    }

    public Bytes encode() {
        Bytes firstFrame = Bytes.wrap(Codec.encode(first));
        Bytes secondFrame = Bytes.wrap(Codec.encode(second));
        WireWriter out = new WireWriter();
        for (int i = 0; i < MAGIC.size(); i++) {
            out.raw(MAGIC.get(i));
        }
        out.u8(VERSION);
        out.bytes(firstFrame);
        out.bytes(secondFrame);
        return out.toBytes();
    }

    /** @throws MalformedMessage when {@code file} is not the encoding of two statements that conflict */
    public static Equivocation decode(Bytes file) {
        WireReader in = new WireReader(file.toByteArray());
        for (int i = 0; i < MAGIC.size(); i++) {
            if (in.raw("magic") != MAGIC.get(i)) {
                throw in.malformed(
                        Reason.UNKNOWN_TYPE, "magic", "a file that begins with " + MAGIC.toUtf8(), "another");
            }
        }
        int version = in.u8("version", 255);
        if (version != VERSION) {
            throw in.malformed(Reason.UNKNOWN_CODE, "version", String.valueOf(VERSION), version);
        }
        Signed<?> first = signed(in, "first");
        Signed<?> second = signed(in, "second");
        in.end();
        if (!conflicts(first.statement(), second.statement())) {
            throw in.malformed(
                    Reason.OUT_OF_RANGE, "second", "a statement that conflicts with the first", second.type());
        }
        return new Equivocation(first, second);
    }

    private static Signed<?> signed(WireReader in, String field) {
        Message message = Codec.decode(in.bytes(field, Limits.FRAME_BYTES_MAX));
        if (message instanceof Signed<?> signed) {
            return signed;
        }
        throw in.malformed(Reason.UNKNOWN_TYPE, field, "a signed statement", message.type());
    }

    /** Whether {@code file} begins like one, whatever follows. */
    public static boolean isOne(Bytes file) {
        return file.startsWith(MAGIC);
    }
}
