package io.pbft.simulator.world;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyFetch;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;

/**
 * Names a message by what it says: 64 bits, equal for equal content, on every machine (record hash codes are not, since those of
 * enums are addresses). Chance decides about a message by this key; a trace's hash is made of these.
 */
public final class MessageKey {
    private MessageKey() {}

    public static long of(Message message) {
        long type = message.type().code();
        if (message instanceof Signed<?> signed) {
            return Mix.mix(type, of(signed.statement()));
        } else if (message instanceof Proposal m) {
            return Mix.mix(type, of(m.prePrepare().statement()), of(m.batch()));
        } else if (message instanceof Reply m) {
            return Mix.mix(type, reply(m));
        } else if (message instanceof ReplyFetch m) {
            return Mix.mix(type, m.epoch(), m.number());
        } else if (message instanceof Refusal m) {
            return Mix.mix(type, m.epoch(), m.number(), m.reason().code());
        } else if (message instanceof ReadRequest m) {
            return Mix.mix(type, m.nonce(), (m.upToDate() ? 1L : 0L) + (m.full() ? 2L : 0L), of(m.operation()));
        } else if (message instanceof ReadReply m) {
            long head = Mix.mix(m.nonce(), m.seq(), m.timeMillis(), m.outcome().code());
            return Mix.mix(type, head, m.digest().prefix(), m.result().isPresent() ? 1 : 0);
        } else if (message instanceof Status m) {
            long flags = (m.changingView() ? 1L : 0L) + (m.answer() ? 2L : 0L);
            return Mix.mix(Mix.mix(type, flags), m.view(), m.lastExecuted(), m.stable());
        } else if (message instanceof Decision m) {
            long head = Mix.mix(
                    m.certificate().view(),
                    m.certificate().seq(),
                    m.certificate().digest().prefix());
            return Mix.mix(type, head, of(m.batch()));
        } else if (message instanceof StableProof m) {
            return Mix.mix(type, m.certificate().seq(), m.certificate().state().prefix());
        } else if (message instanceof BatchFetch m) {
            long key = type;
            for (var digest : m.digests()) {
                key = Mix.mix(key, digest.prefix());
            }
            return key;
        } else if (message instanceof BatchBody m) {
            return Mix.mix(type, of(m.batch()));
        } else if (message instanceof StateFetch m) {
            long key = Mix.mix(type, m.seq());
            for (Bytes path : m.paths()) {
                key = Mix.mix(key, of(path));
            }
            return key;
        } else if (message instanceof StateNodes m) {
            long key = Mix.mix(type, m.seq(), m.available() ? 1 : 0);
            for (StateNodes.Node node : m.nodes()) {
                key = Mix.mix(key, of(node.path()), of(node.content()));
            }
            return key;
        }
        throw new IllegalStateException("a message without a key: " + message.type());
    }

    private static long of(Statement statement) {
        long type = statement.type().code();
        if (statement instanceof Request s) {
            long key = Mix.mix(type, s.client(), s.epoch(), s.first());
            key = Mix.mix(key, s.lowest(), s.replier());
            for (Bytes operation : s.operations()) {
                key = Mix.mix(key, of(operation));
            }
            return key;
        } else if (statement instanceof PrePrepare s) {
            return Mix.mix(
                    Mix.mix(type, s.replica()), s.view(), s.seq(), s.digest().prefix());
        } else if (statement instanceof Prepare s) {
            return Mix.mix(
                    Mix.mix(type, s.replica()), s.view(), s.seq(), s.digest().prefix());
        } else if (statement instanceof Commit s) {
            return Mix.mix(
                    Mix.mix(type, s.replica()), s.view(), s.seq(), s.digest().prefix());
        } else if (statement instanceof Checkpoint s) {
            return Mix.mix(Mix.mix(type, s.replica()), s.seq(), s.state().prefix());
        } else if (statement instanceof ViewChange s) {
            long key = Mix.mix(
                    Mix.mix(type, s.replica()),
                    s.view(),
                    s.stable().seq(),
                    s.stable().state().prefix());
            for (PreparedCertificate certificate : s.prepared()) {
                key = Mix.mix(
                        key,
                        certificate.view(),
                        certificate.seq(),
                        certificate.digest().prefix());
            }
            return key;
        } else if (statement instanceof NewView s) {
            long key = Mix.mix(Mix.mix(type, s.replica()), s.view());
            for (Signed<ViewChange> viewChange : s.viewChanges()) {
                key = Mix.mix(key, of(viewChange.statement()));
            }
            for (Signed<PrePrepare> proposal : s.proposals()) {
                key = Mix.mix(key, of(proposal.statement()));
            }
            return key;
        } else if (statement instanceof ReplyRoot s) {
            return Mix.mix(Mix.mix(type, s.replica()), s.view(), s.root().prefix(), s.leaves());
        }
        throw new IllegalStateException("a statement without a key: " + statement.type());
    }

    private static long of(Batch batch) {
        long key = batch.timeMillis();
        for (Signed<Request> request : batch.requests()) {
            key = Mix.mix(key, of(request.statement()));
        }
        return key;
    }

    private static long reply(Reply reply) {
        long key = of(reply.root().statement());
        for (Reply.Item item : reply.items()) {
            long leaf = Mix.mix(
                    item.leaf().epoch(), item.leaf().number(), item.leaf().seq(), item.index());
            key = Mix.mix(
                    key, leaf, item.leaf().result().prefix(), item.result().isPresent() ? 1 : 0);
        }
        return key;
    }

    /** A well-spread number for a string of bytes. */
    public static long of(Bytes bytes) {
        long key = bytes.size();
        long word = 0;
        for (int i = 0; i < bytes.size(); i++) {
            word = word << 8 | (bytes.get(i) & 0xff);
            if ((i & 7) == 7) {
                key = (key ^ word) * 0xff51afd7ed558ccdL;
                key ^= key >>> 32;
                word = 0;
            }
        }
        return Mix.mix(key, word);
    }
}
