package io.pbft.simulator.check;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Message;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NewView;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;
import io.pbft.simulator.world.MessageKey;
import java.util.HashMap;
import java.util.Map;

/**
 * Watches what correct replicas sign, where it leaves them: no two different votes for one (type, view, seq), no new vote in a
 * view that the replica has left, none that is not durable, across crashes and restarts. An agreement checker alone would not
 * see a vote that left before it was durable: that shows only when the crash comes at the worst moment. NOT thread-safe.
 */
public final class Promises {
    /** What is durable at a replica. */
    public interface Durable {
        /** Whether there is an entry in this place, or there was one before a stable checkpoint made it superfluous. */
        boolean holds(int replica, JournalEntry.Kind kind, long seq, long view);
    }

    private record Place(int replica, MessageType type, long view, long seq) {}

    private final Findings findings;
    private final Durable durable;

    /** Looked up, never iterated over. */
    private final Map<Place, Long> said = new HashMap<>();

    private final Map<Integer, Long> left = new HashMap<>();

    public Promises(Findings findings, Durable durable) {
        this.findings = findings;
        this.durable = durable;
    }

    /** A correct replica sends {@code message}. What others signed and it passes on does not bind it. */
    public void sent(int replica, Message message) {
        if (message instanceof Proposal proposal) {
            sent(replica, proposal.prePrepare());
        } else if (message instanceof Signed<?> signed) {
            Statement statement = signed.statement();
            if (statement instanceof Vote vote && vote.replica() == replica) {
                vote(replica, vote, MessageKey.of(signed));
            } else if (statement instanceof Checkpoint s && s.replica() == replica) {
                place(new Place(replica, s.type(), 0, s.seq()), MessageKey.of(signed), JournalEntry.Kind.CHECKPOINT);
            } else if (statement instanceof ViewChange s && s.replica() == replica) {
                place(new Place(replica, s.type(), s.view(), 0), MessageKey.of(signed), JournalEntry.Kind.VIEW_CHANGE);
            } else if (statement instanceof NewView s && s.replica() == replica) {
                place(new Place(replica, s.type(), s.view(), 0), MessageKey.of(signed), JournalEntry.Kind.NEW_VIEW);
                s.proposals().forEach(proposal -> vote(replica, proposal.statement(), MessageKey.of(proposal)));
            }
        }
    }

    private void vote(int replica, Vote vote, long content) {
        JournalEntry.Kind kind = switch (vote.type()) {
            case PRE_PREPARE -> JournalEntry.Kind.PROPOSAL;
            case PREPARE -> JournalEntry.Kind.PREPARE;
            case COMMIT -> JournalEntry.Kind.COMMIT;
            default -> throw new IllegalStateException("not a vote: " + vote.type());
        };
        place(new Place(replica, vote.type(), vote.view(), vote.seq()), content, kind);
    }

    /** Something became durable at a correct replica: after a VIEW-CHANGE no vote in a lower view may. */
    public void durable(int replica, JournalEntry entry) {
        switch (entry.kind()) {
            case VIEW_CHANGE -> {
                Signed<?> signed = (Signed<?>) Codec.decode(entry.content());
                left.merge(replica, signed.as(ViewChange.class).statement().view(), Math::max);
            }
            case PREPARE, COMMIT -> {
                long view = left.getOrDefault(replica, -1L);
                if (entry.view() < view) {
                    findings.report(
                            Check.PROMISES,
                            "replica " + replica + " signs a " + entry.kind() + " in view " + entry.view() + " at "
                                    + entry.seq() + " after its VIEW-CHANGE to " + view);
                }
            }
            case PROPOSAL, PREPARED, CHECKPOINT, STABLE, NEW_VIEW -> {}
        }
    }

    private void place(Place place, long content, JournalEntry.Kind kind) {
        Long before = said.putIfAbsent(place, content);
        if (before != null) {
            if (before != content) {
                findings.report(Check.PROMISES, "two different statements of a correct replica at " + place);
            }
            return;
        }
        boolean byView = kind == JournalEntry.Kind.PROPOSAL
                || kind == JournalEntry.Kind.PREPARE
                || kind == JournalEntry.Kind.COMMIT;
        if (!durable.holds(place.replica, kind, place.seq, byView ? place.view : 0)) {
            findings.report(Check.PERSISTENCE, "not durable at the replica when it left: " + place);
        }
    }
}
