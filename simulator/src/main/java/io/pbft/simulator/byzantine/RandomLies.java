package io.pbft.simulator.byzantine;

import static io.pbft.simulator.byzantine.PrimaryLies.keyOf;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Commit;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Mutates any field of any message, in small scopes: most mutations change one field by little and hit one receiver or one
 * sequence number, which is what finds bugs (Winter et al., "Randomized testing of Byzantine fault tolerant algorithms",
 * OOPSLA'23). What it signs it signs as itself.
 */
final class RandomLies extends Behaviour {
    private static final double SHARE = 0.15;

    /** The last message of each type, to be sent in place of another. */
    private final Map<Integer, Message> last = new TreeMap<>();

    @Override
    void outgoing(NodeId to, Message message, Way way) {
        long about = keyOf(message);
        if (!to.isReplica() || !way.dares(SHARE, to, about)) {
            last.put((int) message.type().code(), message);
            way.pass(to, message);
            return;
        }
        long chance = way.chance(about, to.index());
        switch ((int) (chance & 7)) {
            case 0 -> way.withhold(to, message);
            case 1 -> way.delay(to, message, 1_000 + (chance >>> 8) % 200_000);
            case 2 -> {
                way.pass(to, message);
                way.lie(to, last.getOrDefault((int) message.type().code(), message));
            }
            default -> way.lie(to, mutate(message, way, chance >>> 3));
        }
    }

    private static Message mutate(Message message, Way way, long chance) {
        if (message instanceof Signed<?> signed) {
            return mutate(signed, way, chance);
        } else if (message instanceof Proposal m) {
            PrePrepare header = m.prePrepare().statement();
            if (header.replica() != way.self()) {
                return m;
            }
            return switch ((int) (chance & 3)) {
                case 0 -> PrimaryLies.propose(near(header.view(), chance), header.seq(), m.batch(), way);
                case 1 -> PrimaryLies.propose(header.view(), near(header.seq(), chance), m.batch(), way);
                case 2 ->
                    PrimaryLies.propose(header.view(), header.seq(), PrimaryLies.altered(m.batch(), chance >>> 2), way);
                default -> m.prePrepare();
            };
        } else if (message instanceof Status m) {
            return new Status(
                    near(m.view(), chance),
                    (chance & 64) == 0 ? m.changingView() : !m.changingView(),
                    near(m.lastExecuted(), chance >>> 8),
                    near(m.stable(), chance >>> 16),
                    m.answer(),
                    near(m.awaited(), chance >>> 24));
        } else if (message instanceof Decision m) {
            CommitCertificate c = m.certificate();
            List<Signed<Commit>> commits = new ArrayList<>(c.commits());
            commits.remove(commits.size() - 1);
            return switch ((int) (chance & 3)) {
                case 0 ->
                    new Decision(
                            new CommitCertificate(c.view(), near(c.seq(), chance), c.digest(), c.commits()), m.batch());
                case 1 -> new Decision(new CommitCertificate(c.view(), c.seq(), c.digest(), commits), m.batch());
                default -> new Decision(c, PrimaryLies.altered(m.batch(), chance >>> 2));
            };
        } else if (message instanceof StableProof m) {
            var c = m.certificate();
            return new StableProof(
                    new io.pbft.protocol.CheckpointCertificate(near(c.seq(), chance), c.state(), c.proof()));
        }
        return message;
    }

    private static Message mutate(Signed<?> signed, Way way, long chance) {
        if (!signed.statement().signer().equals(NodeId.replica(way.self()))) {
            return signed;
        }
        int self = way.self();
        if (signed.statement() instanceof Prepare s) {
            return switch ((int) (chance & 3)) {
                case 0 -> way.sign(new Prepare(near(s.view(), chance), s.seq(), s.digest(), self));
                case 1 -> way.sign(new Prepare(s.view(), near(s.seq(), chance), s.digest(), self));
                case 2 -> way.sign(new Commit(s.view(), s.seq(), s.digest(), self));
                default -> way.sign(new Prepare(s.view(), s.seq(), noise(s.digest()), self));
            };
        } else if (signed.statement() instanceof Commit s) {
            return switch ((int) (chance & 3)) {
                case 0 -> way.sign(new Commit(near(s.view(), chance), s.seq(), s.digest(), self));
                case 1 -> way.sign(new Commit(s.view(), near(s.seq(), chance), s.digest(), self));
                case 2 -> way.sign(new Prepare(s.view(), s.seq(), s.digest(), self));
                default -> way.sign(new Commit(s.view(), s.seq(), noise(s.digest()), self));
            };
        } else if (signed.statement() instanceof Checkpoint s) {
            return (chance & 1) == 0
                    ? way.sign(new Checkpoint(near(s.seq(), chance), s.state(), self))
                    : way.sign(new Checkpoint(s.seq(), noise(s.state()), self));
        } else if (signed.statement() instanceof ViewChange s) {
            return mutate(s, way, chance);
        } else if (signed.statement() instanceof NewView s) {
            List<Signed<ViewChange>> changes = new ArrayList<>(s.viewChanges());
            if ((chance & 1) == 0 && !changes.isEmpty()) {
                changes.remove((int) Long.remainderUnsigned(chance >>> 1, changes.size()));
            }
            return way.sign(
                    new NewView((chance & 1) == 0 ? s.view() : near(s.view(), chance), changes, s.proposals(), self));
        }
        return signed;
    }

    private static Message mutate(ViewChange s, Way way, long chance) {
        List<PreparedCertificate> prepared = new ArrayList<>(s.prepared());
        if (!prepared.isEmpty()) {
            int victim = (int) Long.remainderUnsigned(chance >>> 8, prepared.size());
            switch ((int) (chance >>> 4 & 3)) {
                case 0 -> prepared.remove(victim);
                case 1 -> {
                    PreparedCertificate c = prepared.get(victim);
                    List<Signed<Prepare>> fewer = new ArrayList<>(c.prepares());
                    fewer.remove(fewer.size() - 1);
                    prepared.set(victim, new PreparedCertificate(c.prePrepare(), fewer));
                }
                case 2 -> prepared.add(prepared.get(victim));
                default -> {}
            }
        }
        long view = (chance & 3) == 0 ? near(s.view(), chance) : s.view();
        return way.sign(new ViewChange(view, s.stable(), prepared, way.self()));
    }

    /** A number close by; seldom a far one. */
    private static long near(long value, long chance) {
        long bits = Mix.mix(chance, value);
        long step = (bits & 15) == 0 ? 1_000_000 : 1 + (bits >>> 4 & 3);
        return Math.max(0, (bits & 256) == 0 ? value + step : value - step);
    }

    private static Digest noise(Digest digest) {
        return Digest.of(Bytes.utf8("noise " + digest));
    }
}
