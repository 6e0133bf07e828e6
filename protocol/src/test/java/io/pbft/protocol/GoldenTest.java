package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Reply.Item;
import io.pbft.protocol.StateNodes.Node;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The bytes on the wire, of one message of each type, as they have been from the first version on. When this fails,
 * replicas of two versions no longer understand each other, and what a journal holds cannot be read back: that wants
 * another domain string, not another golden file.
 */
class GoldenTest {
    @ParameterizedTest
    @EnumSource(MessageType.class)
    void theBytesAreWhatTheyWere(MessageType type) throws IOException {
        byte[] golden = golden(type);
        Message message = message(type);
        assertThat(Bytes.wrap(Codec.encode(message)).toHex())
                .isEqualTo(Bytes.wrap(golden).toHex());
        assertThat(Codec.decode(golden)).isEqualTo(message);
    }

    private static byte[] golden(MessageType type) throws IOException {
        try (InputStream in = GoldenTest.class.getResourceAsStream("golden/" + type + ".hex")) {
            assertThat(in).as("golden bytes of %s", type).isNotNull();
            String hex = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
            return Bytes.fromHex(hex.replaceAll("\\s", "")).toByteArray();
        }
    }

    /** The example of docs/wire-format.md, spelt out. */
    @Test
    void thePrepareOfTheDocument() {
        String expected = "03" // PREPARE
                + "0000000000000005" // view
                + "0000000000000102" // seq
                + "aa".repeat(32) // digest
                + "03" // replica
                + "03".repeat(64); // signature
        assertThat(Bytes.wrap(Codec.encode(message(MessageType.PREPARE))).toHex())
                .isEqualTo(expected);
    }

    @Test
    void theDigestOfTheNullBatch() {
        assertThat(Batch.NULL.digest().toHex())
                .as("SHA-256 of twelve zero bytes")
                .isEqualTo("15ec7bf0b50732b49f8228e07d24365338f9e3ab994b00af08e5a3bffe55fd8b");
        assertThat(Codec.encode(Batch.NULL)).isEqualTo(new byte[12]);
    }

    static Message message(MessageType type) {
        return switch (type) {
            case REQUEST -> request();
            case PRE_PREPARE -> signed(new PrePrepare(5, 0x102, digest(0xaa), 1), 1);
            case PREPARE -> signed(new Prepare(5, 0x102, digest(0xaa), 3), 3);
            case COMMIT -> signed(new Commit(5, 0x102, digest(0xaa), 2), 2);
            case CHECKPOINT -> signed(new Checkpoint(256, digest(0xbb), 0), 4);
            case VIEW_CHANGE -> viewChange();
            case NEW_VIEW ->
                signed(
                        new NewView(
                                6, List.of(viewChange()), List.of(signed(new PrePrepare(6, 257, digest(0), 2), 9)), 2),
                        10);
            case REPLY_ROOT -> signed(new ReplyRoot(5, digest(0xcc), 100, 2), 11);
            case PROPOSAL -> new Proposal(signed(new PrePrepare(5, 0x102, digest(0xaa), 1), 1), batch());
            case REPLY -> reply();
            case REPLY_FETCH -> new ReplyFetch(0x0123456789abcdefL, 7);
            case REFUSAL -> new Refusal(0x0123456789abcdefL, 7, Refusal.Reason.SESSION_EXPIRED);
            case READ_REQUEST -> new ReadRequest(-2, true, false, Bytes.utf8("get k"));
            case READ_REPLY ->
                new ReadReply(
                        -2, 300, 1_700_000_000_000L, Outcome.EXECUTED, digest(0xdd), Optional.of(Bytes.utf8("v")));
            case STATUS -> new Status(5, true, 300, 256, false, 768);
            case DECISION ->
                new Decision(
                        new CommitCertificate(
                                5,
                                0x102,
                                digest(0xaa),
                                List.of(
                                        signed(new Commit(5, 0x102, digest(0xaa), 0), 12),
                                        signed(new Commit(5, 0x102, digest(0xaa), 3), 13))),
                        batch());
            case STABLE_PROOF -> new StableProof(stable());
            case BATCH_FETCH -> new BatchFetch(List.of(digest(0xaa), digest(0)));
            case BATCH_BODY -> new BatchBody(Batch.NULL);
            case STATE_FETCH -> new StateFetch(256, List.of(Bytes.EMPTY, Bytes.fromHex("0102")));
            case STATE_NODES ->
                new StateNodes(
                        256,
                        true,
                        List.of(
                                new Node(Bytes.EMPTY, Bytes.fromHex("ff")),
                                new Node(Bytes.fromHex("01"), Bytes.EMPTY)));
        };
    }

    private static Signed<Request> request() {
        return signed(new Request(1, 0x0123456789abcdefL, 6, 7, -1, List.of(Bytes.utf8("put k v"), Bytes.EMPTY)), 0x11);
    }

    private static Batch batch() {
        return new Batch(1_700_000_000_000L, List.of(request()));
    }

    private static CheckpointCertificate stable() {
        return new CheckpointCertificate(
                256,
                digest(0xbb),
                List.of(
                        signed(new Checkpoint(256, digest(0xbb), 0), 4),
                        signed(new Checkpoint(256, digest(0xbb), 2), 5)));
    }

    private static Signed<ViewChange> viewChange() {
        PreparedCertificate prepared = new PreparedCertificate(
                signed(new PrePrepare(5, 0x102, digest(0xaa), 1), 1),
                List.of(
                        signed(new Prepare(5, 0x102, digest(0xaa), 2), 6),
                        signed(new Prepare(5, 0x102, digest(0xaa), 3), 7)));
        return signed(new ViewChange(6, stable(), List.of(prepared), 3), 8);
    }

    private static Reply reply() {
        ReplyLeaf leaf = new ReplyLeaf(
                1, 0x0123456789abcdefL, 7, 300, 1_700_000_000_000L, digest(0xee), Outcome.FAILED, digest(0xdd));
        return new Reply(
                signed(new ReplyRoot(5, digest(0xcc), 4, 2), 11),
                List.of(
                        new Item(leaf, Optional.of(Bytes.utf8("v")), 0, List.of(digest(1), digest(2))),
                        new Item(leaf, Optional.empty(), 3, List.of())));
    }

    private static Digest digest(int fill) {
        byte[] bytes = new byte[Digest.SIZE];
        Arrays.fill(bytes, (byte) fill);
        return Digest.copyOf(bytes, 0, bytes.length);
    }

    private static <S extends Statement> Signed<S> signed(S statement, int fill) {
        byte[] bytes = new byte[Signature.SIZE];
        Arrays.fill(bytes, (byte) fill);
        return new Signed<>(statement, Signature.copyOf(bytes, 0, bytes.length));
    }
}
