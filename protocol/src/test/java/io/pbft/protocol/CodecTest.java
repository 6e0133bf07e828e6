package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.MalformedMessage.Reason;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The codec's two identities, its limits, and what it refuses. */
class CodecTest {
    private static final Signature SIGNATURE = Signature.copyOf(new byte[Signature.SIZE], 0, Signature.SIZE);
    private static final Digest DIGEST = Digest.of(Bytes.utf8("d"));

    @ParameterizedTest
    @EnumSource(MessageType.class)
    void decodeAfterEncodeIsTheIdentity(MessageType type) {
        Messages messages = new Messages(type.code());
        for (int i = 0; i < 300; i++) {
            Message message = messages.next(type);
            byte[] frame = Codec.encode(message);
            Message decoded = Codec.decode(frame);
            assertThat(decoded).isEqualTo(message);
            assertThat(decoded.hashCode()).isEqualTo(message.hashCode());
            assertThat(frame[0]).isEqualTo(type.code());
            assertThat(Codec.encode(decoded)).isEqualTo(frame);
        }
    }

    @ParameterizedTest
    @EnumSource(MessageType.class)
    void encodeAfterDecodeIsTheIdentityOnWhateverIsAccepted(MessageType type) {
        Random random = new Random(type.code());
        Messages messages = new Messages(100 + type.code());
        int accepted = 0;
        int tried = 0;
        while (tried < 6_000) {
            byte[] frame = Codec.encode(messages.next(type));
            for (int position = 0; position < frame.length; position++, tried++) {
                byte[] mutated = frame.clone();
                mutated[position] ^= (byte) (1 << random.nextInt(8));
                accepted += acceptedCanonically(mutated) ? 1 : 0;
                mutated[position] = (byte) random.nextInt(256);
                accepted += acceptedCanonically(mutated) ? 1 : 0;
            }
        }
        assertThat(accepted)
                .as("mutations that hit a digest, a number or a signature")
                .isPositive();
    }

    /** Either refused with its own exception, or the encoding of what it was decoded to. */
    private static boolean acceptedCanonically(byte[] frame) {
        Message message;
        try {
            message = Codec.decode(frame);
        } catch (MalformedMessage e) {
            return false;
        }
        if (!Arrays.equals(Codec.encode(message), frame)) {
            throw new AssertionError("not canonical: " + Bytes.wrap(frame).toHex());
        }
        return true;
    }

    @ParameterizedTest
    @EnumSource(MessageType.class)
    void everyPrefixIsTruncatedAndNothingMayFollow(MessageType type) {
        Messages messages = new Messages(200 + type.code());
        for (int tried = 0; tried < 2_000; ) {
            byte[] frame = Codec.encode(messages.next(type));
            tried += frame.length;
            for (int length = 0; length < frame.length; length++) {
                refused(Arrays.copyOf(frame, length), Reason.TRUNCATED);
            }
            refused(Arrays.copyOf(frame, frame.length + 1), Reason.TRAILING_BYTES);
        }
    }

    @Test
    void noiseIsRefusedOrCanonical() {
        Random random = new Random(7);
        MessageType[] types = MessageType.values();
        for (int i = 0; i < 50_000; i++) {
            byte[] noise = new byte[1 + random.nextInt(200)];
            random.nextBytes(noise);
            noise[0] = types[random.nextInt(types.length)].code();
            acceptedCanonically(noise);
        }
    }

    @Test
    void aFrameInTheMiddleOfAnArrayIsDecodedInPlace() {
        Message message = new Messages(3).next(MessageType.PROPOSAL);
        byte[] frame = Codec.encode(message);
        byte[] padded = new byte[frame.length + 20];
        System.arraycopy(frame, 0, padded, 10, frame.length);
        assertThat(Codec.decode(padded, 10, 10 + frame.length)).isEqualTo(message);
        assertThat(Codec.decode(Bytes.wrap(frame))).isEqualTo(message);
    }

    @Test
    void whatTheJournalKeepsComesBack() {
        Messages messages = new Messages(11);
        for (int i = 0; i < 300; i++) {
            Batch batch = messages.batch();
            assertThat(Codec.decodeBatch(Bytes.wrap(Codec.encode(batch)))).isEqualTo(batch);
            PreparedCertificate prepared = messages.preparedCertificate(i);
            assertThat(Codec.decodePreparedCertificate(Bytes.wrap(Codec.encode(prepared))))
                    .isEqualTo(prepared);
            CheckpointCertificate stable = messages.checkpointCertificate();
            assertThat(Codec.decodeCheckpointCertificate(Bytes.wrap(Codec.encode(stable))))
                    .isEqualTo(stable);
            CommitCertificate committed = messages.commitCertificate();
            assertThat(Codec.decodeCommitCertificate(Bytes.wrap(Codec.encode(committed))))
                    .isEqualTo(committed);
        }
        Bytes padded = Bytes.wrap(Codec.encode(Batch.NULL)).concat(Bytes.utf8("x"));
        assertThatThrownBy(() -> Codec.decodeBatch(padded)).isInstanceOf(MalformedMessage.class);
    }

    @Test
    void digestsAreThoseOfTheEncoding() {
        Messages messages = new Messages(12);
        for (int i = 0; i < 100; i++) {
            Batch batch = messages.batch();
            assertThat(batch.digest()).isEqualTo(Digest.of(Codec.encode(batch)));
            assertThat(Codec.digest(batch)).isSameAs(batch.digest());
            Signed<Request> request = messages.signedRequest();
            byte[] frame = Codec.encode(request);
            assertThat(request.statement().digest())
                    .isEqualTo(Digest.of(frame, 1, frame.length - 1 - Signature.SIZE))
                    .isEqualTo(Codec.digest(request.statement()));
            assertThat(Codec.size(request)).isEqualTo(frame.length - 1);
        }
    }

    @Test
    void aHostileCountAllocatesNothing() {
        for (MessageType type : MessageType.values()) {
            for (int size = 1; size <= 400; size += 3) {
                byte[] frame = new byte[size];
                Arrays.fill(frame, (byte) 0x7f);
                frame[0] = type.code();
                byte[] zeros = new byte[size];
                zeros[0] = type.code();
                assertThat(allocatedBytes(frame)).isLessThan(4_096 + 16L * size);
                assertThat(allocatedBytes(zeros)).isLessThan(4_096 + 16L * size);
            }
        }
    }

    @Test
    void aCountOfTwoToThe31InFiftyBytesIsRefusedBeforeAnyAllocation() {
        for (int count : new int[] {0x7fff_ffff, 0x8000_0000, -1, 4_096}) {
            byte[] frame = frame(MessageType.BATCH_BODY, out -> {
                out.i64(5);
                for (int shift = 24; shift >= 0; shift -= 8) {
                    out.raw((byte) (count >>> shift));
                }
                for (int i = 0; i < 37; i++) {
                    out.u8(0);
                }
            });
            assertThat(frame).hasSize(50);
            refused(frame, count == 4_096 ? Reason.TRUNCATED : Reason.TOO_MANY);
            assertThat(allocatedBytes(frame)).isLessThan(4_096);
        }
    }

    /** Decoding a large batch allocates a small multiple of its size; the densest element is an empty operation. */
    @Test
    void allocationIsBoundedByASmallMultipleOfTheFrame() {
        Bytes[] empty = new Bytes[Limits.REQUEST_OPERATIONS_MAX];
        Arrays.fill(empty, Bytes.EMPTY);
        Request request = new Request(1, 1, 1, 1, -1, List.of(empty));
        byte[] frame = Codec.encode(new Signed<>(request, SIGNATURE));
        assertThat(allocatedBytes(frame)).isLessThan(4_096 + 8L * frame.length);
        byte[] fetch = Codec.encode(new StateFetch(1, Collections.nCopies(Limits.STATE_NODES_MAX, Bytes.EMPTY)));
        assertThat(allocatedBytes(fetch)).isLessThan(4_096 + 8L * fetch.length);
    }

    private static long allocatedBytes(byte[] frame) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        acceptedOrNot(frame);
        long before = threads.getCurrentThreadAllocatedBytes();
        acceptedOrNot(frame);
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    private static boolean acceptedOrNot(byte[] frame) {
        try {
            Codec.decode(frame);
            return true;
        } catch (MalformedMessage e) {
            return false;
        }
    }

    private static void refused(byte[] frame, Reason reason) {
        assertThatThrownBy(() -> Codec.decode(frame))
                .isInstanceOfSatisfying(
                        MalformedMessage.class,
                        e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    }

    private static void refused(Message message, Reason reason) {
        refused(Codec.encode(message), reason);
    }

    private static byte[] frame(MessageType type, Consumer<WireWriter> fields) {
        WireWriter out = new WireWriter();
        out.raw(type.code());
        fields.accept(out);
        return out.toByteArray();
    }

    private static <S extends Statement> Signed<S> signed(S statement) {
        return new Signed<>(statement, SIGNATURE);
    }

    @Test
    void anUnknownTypeIsRefused() {
        for (int code = 0; code < 256; code++) {
            int byteCode = code;
            if (Arrays.stream(MessageType.values()).noneMatch(type -> type.code() == (byte) byteCode)) {
                refused(new byte[] {(byte) code}, Reason.UNKNOWN_TYPE);
            }
        }
        refused(new byte[0], Reason.TRUNCATED);
    }

    @Test
    void anUnknownCodeIsRefused() {
        refused(
                frame(MessageType.REFUSAL, out -> {
                    out.i64(1);
                    out.i64(1);
                    out.u8(3);
                }),
                Reason.UNKNOWN_CODE);
        byte[] status = Codec.encode(new Status(1, false, 1, 1, false));
        status[9] = 2;
        refused(status, Reason.UNKNOWN_CODE);
        byte[] reply = Codec.encode(new ReadReply(1, 1, 1, Outcome.EXECUTED, DIGEST, Optional.empty()));
        reply[25] = 7;
        refused(reply, Reason.UNKNOWN_CODE);
    }

    @Test
    void negativeNumbersAreRefused() {
        refused(signed(new Prepare(-1, 1, DIGEST, 1)), Reason.OUT_OF_RANGE);
        refused(signed(new Prepare(1, Long.MIN_VALUE, DIGEST, 1)), Reason.OUT_OF_RANGE);
        refused(new ReplyFetch(-1, 1), Reason.OUT_OF_RANGE);
        refused(new StateFetch(-1, List.of()), Reason.OUT_OF_RANGE);
        assertThat(Codec.decode(Codec.encode(new ReadRequest(-1, true, true, Bytes.EMPTY))))
                .as("a nonce is any number")
                .isEqualTo(new ReadRequest(-1, true, true, Bytes.EMPTY));
    }

    @Test
    void idsBeyondTheLargestClusterAreRefused() {
        refused(signed(new Commit(1, 1, DIGEST, Limits.REPLICAS_MAX)), Reason.OUT_OF_RANGE);
        refused(signed(new Request(Limits.CLIENTS_MAX, 1, 1, 1, 0, List.of())), Reason.OUT_OF_RANGE);
        refused(signed(new Request(1, 1, 1, 1, Limits.REPLICAS_MAX, List.of())), Reason.OUT_OF_RANGE);
        assertThatThrownBy(() -> Codec.encode(signed(new Commit(1, 1, DIGEST, 256))))
                .as("nothing is cut off silently")
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Codec.encode(signed(new Request(1, 1, 1, 1, -2, List.of()))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void unorderedListsAreRefused() {
        Signed<Prepare> one = signed(new Prepare(1, 1, DIGEST, 1));
        Signed<Prepare> two = signed(new Prepare(1, 1, DIGEST, 2));
        Signed<PrePrepare> prePrepare = signed(new PrePrepare(1, 1, DIGEST, 1));
        CheckpointCertificate genesis = CheckpointCertificate.GENESIS;
        PreparedCertificate good = new PreparedCertificate(prePrepare, List.of(one, two));
        refused(
                signed(new ViewChange(1, genesis, List.of(new PreparedCertificate(prePrepare, List.of(two, one))), 1)),
                Reason.OUT_OF_ORDER);
        refused(
                signed(new ViewChange(1, genesis, List.of(new PreparedCertificate(prePrepare, List.of(one, one))), 1)),
                Reason.OUT_OF_ORDER);
        refused(signed(new ViewChange(1, genesis, List.of(good, good), 1)), Reason.OUT_OF_ORDER);
        Signed<Commit> commit = signed(new Commit(1, 1, DIGEST, 1));
        refused(
                new Decision(new CommitCertificate(1, 1, DIGEST, List.of(commit, commit)), Batch.NULL),
                Reason.OUT_OF_ORDER);
        Signed<Checkpoint> checkpoint = signed(new Checkpoint(1, DIGEST, 1));
        refused(
                new StableProof(new CheckpointCertificate(1, DIGEST, List.of(checkpoint, checkpoint))),
                Reason.OUT_OF_ORDER);
        Signed<ViewChange> change = signed(new ViewChange(1, genesis, List.of(), 1));
        refused(signed(new NewView(1, List.of(change, change), List.of(), 1)), Reason.OUT_OF_ORDER);
        Signed<PrePrepare> third = signed(new PrePrepare(1, 3, DIGEST, 1));
        refused(signed(new NewView(1, List.of(change), List.of(prePrepare, third), 1)), Reason.OUT_OF_ORDER);
        refused(signed(new NewView(1, List.of(change), List.of(prePrepare, prePrepare), 1)), Reason.OUT_OF_ORDER);
        Reply.Item item = new Reply.Item(
                new ReplyLeaf(1, 1, 1, 1, 1, DIGEST, Outcome.EXECUTED, DIGEST), Optional.empty(), 4, List.of());
        refused(new Reply(signed(new ReplyRoot(1, DIGEST, 5, 1)), List.of(item, item)), Reason.OUT_OF_ORDER);
    }

    @Test
    void whatIsBeyondALimitIsRefused() {
        Bytes large = Bytes.wrap(new byte[Limits.OPERATION_BYTES_MAX + 1]);
        refused(signed(new Request(1, 1, 1, 1, 0, List.of(large))), Reason.TOO_LONG);
        Bytes half = Bytes.wrap(new byte[Limits.OPERATION_BYTES_MAX]);
        refused(signed(new Request(1, 1, 1, 1, 0, List.of(half, half, half, half, Bytes.utf8("x")))), Reason.TOO_LONG);
        Bytes[] many = new Bytes[Limits.REQUEST_OPERATIONS_MAX + 1];
        Arrays.fill(many, Bytes.EMPTY);
        refused(signed(new Request(1, 1, 1, 1, 0, List.of(many))), Reason.TOO_MANY);
        Signed<Request> full = signed(new Request(1, 1, 1, 1, 0, List.of(half, half, half)));
        refused(new BatchBody(new Batch(1, List.of(full, full, full, full, full, full))), Reason.TOO_LONG);
        Signed<Request> crowd = signed(new Request(1, 1, 1, 1, 0, List.of(many).subList(1, many.length)));
        refused(new BatchBody(new Batch(1, Collections.nCopies(9, crowd))), Reason.TOO_MANY);
        refused(new BatchFetch(Collections.nCopies(Limits.FETCH_BATCHES_MAX + 1, DIGEST)), Reason.TOO_MANY);
        refused(new StateFetch(1, List.of(Bytes.wrap(new byte[Limits.STATE_PATH_BYTES_MAX + 1]))), Reason.TOO_LONG);
        StateNodes.Node node =
                new StateNodes.Node(Bytes.EMPTY, Bytes.wrap(new byte[Limits.STATE_NODE_BYTES_MAX / 2 + 1]));
        refused(new StateNodes(1, true, List.of(node, node)), Reason.TOO_LONG);
        refused(new StateNodes(1, false, List.of(node)), Reason.TOO_MANY);
        refused(new byte[Limits.FRAME_BYTES_MAX + 1], Reason.TOO_LONG);
    }

    @Test
    void nothingLargerThanAFrameIsEncoded() {
        Bytes result = Bytes.wrap(new byte[Limits.RESULT_BYTES_MAX]);
        ReplyLeaf leaf = new ReplyLeaf(1, 1, 1, 1, 1, DIGEST, Outcome.EXECUTED, DIGEST);
        List<Reply.Item> items = new ArrayList<>();
        for (int i = 0; i < 129; i++) {
            items.add(new Reply.Item(leaf, Optional.of(result), i, List.of()));
        }
        Reply reply = new Reply(signed(new ReplyRoot(1, DIGEST, 200, 1)), items);
        assertThatThrownBy(() -> Codec.encode(reply))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a frame has at most");
    }

    @Test
    void theLargestNewViewIsAsLargeAsComputed() {
        for (int replicas : new int[] {4, 5, 7}) {
            int window = 16;
            TestCluster cluster = TestCluster.of(replicas);
            List<PreparedCertificate> prepared = new ArrayList<>();
            List<Long> seqs = new ArrayList<>();
            for (long seq = 5; seq < 5 + window; seq++) {
                prepared.add(cluster.prepared(1, seq, DIGEST));
                seqs.add(seq);
            }
            Signed<NewView> largest = cluster.newView(3, cluster.stable(4, DIGEST), prepared, seqs);
            assertThat(Codec.encode(largest)).hasSize((int) Codec.newViewBytesMax(cluster.quorum(), window));
        }
        assertThat(Codec.newViewBytesMax(new Quorum(31), ProtocolParameters.DEFAULT.window()))
                .isLessThan(Limits.FRAME_BYTES_MAX);
    }

    @Test
    void aSignatureCoversDomainTypeClusterAndStatement() {
        Prepare prepare = new Prepare(1, 2, DIGEST, 3);
        Digest cluster = Digest.of(Bytes.utf8("cluster"));
        byte[] payload = SigningPayload.of(cluster, prepare);
        assertThat(payload).hasSize(SigningPayload.SIZE).hasSize(72);
        assertThat(Bytes.wrap(payload))
                .isEqualTo(Bytes.utf8("pbft.v1")
                        .concat(Bytes.wrap(new byte[] {3}))
                        .concat(cluster.toBytes())
                        .concat(Codec.digest(prepare).toBytes()));
        // Trap 6: fields that encode alike, types that differ.
        assertThat(SigningPayload.of(cluster, new Commit(1, 2, DIGEST, 3))).isNotEqualTo(payload);
        assertThat(SigningPayload.of(DIGEST, prepare)).isNotEqualTo(payload);
        assertThat(SigningPayload.of(cluster, new Prepare(1, 2, DIGEST, 2))).isNotEqualTo(payload);
    }
}
