package io.pbft.replica;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.protocol.Codec;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.replica.core.Effect;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * Makes the replies to a batch: one Merkle tree over all answers, one signature for its root, and for each client the leaves
 * that are its own, each with its path. Stateless and thread-safe.
 */
public final class ReplySealer {
    /** Results and leaves in one message: a client whose share is larger gets several messages, under the same signature. */
    static final int REPLY_BYTES_MAX = 1 << 20;

    static final int REPLY_ITEMS_MAX = 1_024;

    private final int self;
    private final Sealer sealer;

    public ReplySealer(int self, Sealer sealer) {
        this.self = self;
        this.sealer = sealer;
    }

    /** Signs, and hands each client's messages to {@code out}, in ascending order of clients. */
    public void seal(Effect.Reply replies, BiConsumer<NodeId, Reply> out) {
        List<Effect.Answer> answers = replies.answers();
        if (answers.isEmpty()) {
            return;
        }
        List<ReplyLeaf> leaves = answers.stream().map(ReplySealer::leaf).toList();
        MerkleTree tree = MerkleTree.of(leaves.stream()
                .map(leaf -> MerkleTree.leafHash(Codec.leafBytes(leaf)))
                .toList());
        Signed<ReplyRoot> root = sealer.seal(new ReplyRoot(replies.view(), tree.root(), tree.size(), self))
                .message();
        Map<Integer, List<Integer>> places = new TreeMap<>();
        for (int i = 0; i < answers.size(); i++) {
            places.computeIfAbsent(answers.get(i).client(), client -> new ArrayList<>())
                    .add(i);
        }
        places.forEach((client, mine) -> {
            Parts parts = new Parts(root, NodeId.client(client), out);
            for (int index : mine) {
                Effect.Answer answer = answers.get(index);
                Optional<Bytes> result = answer.full() ? Optional.of(answer.result()) : Optional.empty();
                parts.add(new Reply.Item(leaves.get(index), result, index, tree.path(index)));
            }
            parts.send();
        });
    }

    private static ReplyLeaf leaf(Effect.Answer answer) {
        return new ReplyLeaf(
                answer.client(),
                answer.epoch(),
                answer.number(),
                answer.seq(),
                answer.timeMillis(),
                answer.operation(),
                answer.outcome(),
                Digest.of(answer.result()));
    }

    /** One client's share, in messages of bounded size. */
    private static final class Parts {
        private final Signed<ReplyRoot> root;
        private final NodeId client;
        private final BiConsumer<NodeId, Reply> out;
        private final List<Reply.Item> items = new ArrayList<>();
        private int bytes;

        Parts(Signed<ReplyRoot> root, NodeId client, BiConsumer<NodeId, Reply> out) {
            this.root = root;
            this.client = client;
            this.out = out;
        }

        void add(Reply.Item item) {
            int size = item.result().map(Bytes::size).orElse(0);
            if (!items.isEmpty() && (items.size() == REPLY_ITEMS_MAX || bytes + size > REPLY_BYTES_MAX)) {
                send();
            }
            items.add(item);
            bytes += size;
        }

        void send() {
            out.accept(client, new Reply(root, items));
            items.clear();
            bytes = 0;
        }
    }
}
