package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Reply.Item;
import io.pbft.protocol.StateNodes.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntFunction;

/**
 * Random messages of every type: well-formed, so that the codec takes them, and meaningless, with signatures and
 * digests that are noise. The same seed gives the same messages. NOT thread-safe.
 */
public final class Messages {
    private static final long[] CORNERS = {0, 1, 2, 255, 256, Integer.MAX_VALUE, 1L << 32, Long.MAX_VALUE - 5_000};

    private final Random random;

    public Messages(long seed) {
        this.random = new Random(seed);
    }

    public Message next() {
        MessageType[] types = MessageType.values();
        return next(types[random.nextInt(types.length)]);
    }

    public Message next(MessageType type) {
        return switch (type) {
            case REQUEST -> signedRequest();
            case PRE_PREPARE -> prePrepare(number(), number());
            case PREPARE -> signed(new Prepare(number(), number(), digest(), replica()));
            case COMMIT -> signed(new Commit(number(), number(), digest(), replica()));
            case CHECKPOINT -> signed(new Checkpoint(number(), digest(), replica()));
            case VIEW_CHANGE -> viewChange(replica());
            case NEW_VIEW -> newView();
            case REPLY_ROOT ->
                signed(new ReplyRoot(number(), digest(), random.nextInt(Limits.REPLY_LEAVES_MAX + 1), replica()));
            case PROPOSAL -> new Proposal(prePrepare(number(), number()), batch());
            case REPLY -> reply();
            case REPLY_FETCH -> new ReplyFetch(number(), number());
            case REFUSAL -> new Refusal(number(), number(), one(Refusal.Reason.values()));
            case READ_REQUEST ->
                new ReadRequest(random.nextLong(), random.nextBoolean(), random.nextBoolean(), bytes(64));
            case READ_REPLY ->
                new ReadReply(random.nextLong(), number(), number(), one(Outcome.values()), digest(), result());
            case STATUS ->
                new Status(number(), random.nextBoolean(), number(), number(), random.nextBoolean(), number());
            case DECISION -> new Decision(commitCertificate(), batch());
            case STABLE_PROOF -> new StableProof(checkpointCertificate());
            case BATCH_FETCH -> new BatchFetch(list(random.nextInt(5), i -> digest()));
            case BATCH_BODY -> new BatchBody(batch());
            case STATE_FETCH ->
                new StateFetch(number(), list(random.nextInt(5), i -> bytes(Limits.STATE_PATH_BYTES_MAX)));
            case STATE_NODES -> stateNodes();
        };
    }

    public Signed<Request> signedRequest() {
        return signed(new Request(
                random.nextInt(Limits.CLIENTS_MAX),
                number(),
                number(),
                number(),
                random.nextInt(Limits.REPLICAS_MAX + 1) - 1,
                list(random.nextInt(4), i -> bytes(40))));
    }

    public Batch batch() {
        return random.nextInt(8) == 0 ? Batch.NULL : new Batch(number(), list(random.nextInt(4), i -> signedRequest()));
    }

    public PreparedCertificate preparedCertificate(long seq) {
        Signed<PrePrepare> prePrepare = prePrepare(number(), seq);
        return new PreparedCertificate(
                prePrepare, ascending(i -> signed(new Prepare(number(), number(), digest(), i))));
    }

    public CommitCertificate commitCertificate() {
        return new CommitCertificate(
                number(), number(), digest(), ascending(i -> signed(new Commit(number(), number(), digest(), i))));
    }

    public CheckpointCertificate checkpointCertificate() {
        return random.nextInt(8) == 0
                ? CheckpointCertificate.GENESIS
                : new CheckpointCertificate(
                        number(), digest(), ascending(i -> signed(new Checkpoint(number(), digest(), i))));
    }

    private Signed<ViewChange> viewChange(int replica) {
        long low = number();
        return signed(new ViewChange(
                number(),
                checkpointCertificate(),
                list(random.nextInt(4), i -> preparedCertificate(low + 3L * i + random.nextInt(3))),
                replica));
    }

    private Signed<NewView> newView() {
        long low = number();
        return signed(new NewView(
                number(),
                ascending(this::viewChange),
                list(random.nextInt(5), i -> prePrepare(number(), low + i)),
                replica()));
    }

    private Signed<PrePrepare> prePrepare(long view, long seq) {
        return signed(new PrePrepare(view, seq, digest(), replica()));
    }

    private Reply reply() {
        List<ReplyLeaf> leaves = list(
                1 + random.nextInt(5),
                i -> new ReplyLeaf(
                        random.nextInt(Limits.CLIENTS_MAX),
                        number(),
                        number(),
                        number(),
                        number(),
                        digest(),
                        one(Outcome.values()),
                        digest()));
        MerkleTree tree = MerkleTree.of(leaves.stream()
                .map(leaf -> MerkleTree.leafHash(Codec.leafBytes(leaf)))
                .toList());
        List<Item> items = new ArrayList<>();
        for (int i = random.nextInt(2); i < leaves.size(); i += 1 + random.nextInt(2)) {
            items.add(new Item(leaves.get(i), result(), i, tree.path(i)));
        }
        return new Reply(signed(new ReplyRoot(number(), tree.root(), leaves.size(), replica())), items);
    }

    private StateNodes stateNodes() {
        boolean available = random.nextInt(4) > 0;
        int count = available ? random.nextInt(4) : 0;
        return new StateNodes(
                number(), available, list(count, i -> new Node(bytes(Limits.STATE_PATH_BYTES_MAX), bytes(200))));
    }

    // The parts

    /** Not negative; often at the edge of something. */
    public long number() {
        return random.nextInt(3) == 0 ? CORNERS[random.nextInt(CORNERS.length)] : random.nextInt(1_000);
    }

    public Digest digest() {
        byte[] bytes = new byte[Digest.SIZE];
        random.nextBytes(bytes);
        return Digest.copyOf(bytes, 0, bytes.length);
    }

    public Bytes bytes(int sizeMax) {
        byte[] bytes = new byte[random.nextInt(sizeMax + 1)];
        random.nextBytes(bytes);
        return Bytes.wrap(bytes);
    }

    private Optional<Bytes> result() {
        return random.nextBoolean() ? Optional.of(bytes(50)) : Optional.empty();
    }

    private int replica() {
        return random.nextInt(Limits.REPLICAS_MAX);
    }

    private <S extends Statement> Signed<S> signed(S statement) {
        byte[] bytes = new byte[Signature.SIZE];
        random.nextBytes(bytes);
        return new Signed<>(statement, Signature.copyOf(bytes, 0, bytes.length));
    }

    private <E> E one(E[] values) {
        return values[random.nextInt(values.length)];
    }

    private static <E> List<E> list(int size, IntFunction<E> element) {
        List<E> list = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            list.add(element.apply(i));
        }
        return list;
    }

    /** Up to five of different replicas, ascending. */
    private <E> List<E> ascending(IntFunction<E> element) {
        List<E> list = new ArrayList<>();
        for (int i = random.nextInt(6); i < Limits.REPLICAS_MAX && list.size() < 5; i += 1 + random.nextInt(8)) {
            list.add(element.apply(i));
        }
        return list;
    }
}
