package io.pbft.simulator.check;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Rejection;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Event;
import io.pbft.replica.core.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Marks the rare paths that correct replicas take, by name: a campaign that never takes one of them has tested less than it
 * seems to. NOT thread-safe.
 */
public final class Probes {
    static final String NULL_SLOT = "a view begins with a null request";
    static final String CHOICE = "a view begins with one of two batches that prepared at the same number";
    static final String TWO_CHECKPOINTS = "a view begins with VIEW-CHANGEs that show different checkpoints";
    static final String TWO_VIEW_CHANGES = "a replica sends a second VIEW-CHANGE before it enters a view";
    static final String VIEWS_SKIPPED = "a replica goes more than one view further at once";
    static final String TAKEN_ALONG = "a replica enters a view without having left the one before";
    static final String TRANSFER_IN_CHANGE = "a state transfer begins during a view change";
    static final String MOVING_TARGET = "a state transfer gets a newer target";
    static final String NULL_CHECKPOINT = "a checkpoint is taken at a null request";
    static final String SECOND_AGREEMENT = "a replica agrees to a second batch at the same number, in a later view";

    static final String SPLIT = "correct replicas agree to different batches at one number of one view";
    static final String SHOWN = "a replica shows another what the primary told it";

    static final String NAMED = "a correct replica keeps evidence against a faulty one";

    private static final List<String> PATHS = List.of(
            NULL_SLOT,
            CHOICE,
            TWO_CHECKPOINTS,
            TWO_VIEW_CHANGES,
            VIEWS_SKIPPED,
            TAKEN_ALONG,
            TRANSFER_IN_CHANGE,
            MOVING_TARGET,
            NULL_CHECKPOINT,
            SECOND_AGREEMENT,
            SPLIT,
            SHOWN,
            NAMED);

    /** Where one replica stands, as far as its effects tell. */
    private static final class Stand {
        long view;
        boolean left;
        boolean installing;
        final Map<Long, Digest> agreed = new TreeMap<>();
    }

    private record Place(long view, long seq) {}

    private final Consumer<String> hit;
    private final Map<Integer, Stand> stands = new TreeMap<>();

    /** What was agreed to first, by view and sequence number. Looked up, never iterated over. */
    private final Map<Place, Digest> agreedFirst = new HashMap<>();

    public Probes(Consumer<String> hit) {
        this.hit = hit;
    }

    /** Every probe there is: the paths above, whatever a core notes, and every reason to reject a message. */
    public static SortedSet<String> all() {
        SortedSet<String> all = new TreeSet<>(PATHS);
        for (Event event : Event.values()) {
            // A correct replica whose state is another one than the others' is a violation, not a rare path.
            if (event != Event.CHECKPOINT_DIVERGED) {
                all.add(note(event));
            }
        }
        for (Rejection reason : Rejection.values()) {
            all.add(rejected(reason));
        }
        return all;
    }

    public static String note(Event event) {
        return "note " + event;
    }

    public static String rejected(Rejection reason) {
        return "rejected " + reason;
    }

    /** A correct replica wants this done. */
    public void wanted(int replica, Effect effect) {
        Stand stand = stands.computeIfAbsent(replica, r -> new Stand());
        if (effect instanceof Effect.Bind bind) {
            promised(stand, bind.promise());
        } else if (effect instanceof Effect.InstallState) {
            hitIf(stand.left, TRANSFER_IN_CHANGE);
            hitIf(stand.installing, MOVING_TARGET);
            stand.installing = true;
        } else if (effect instanceof Effect.TakeSnapshot) {
            stand.installing = false;
        } else if (effect instanceof Effect.Send send) {
            hitIf(send.message().type() == MessageType.PRE_PREPARE, SHOWN);
        } else if (effect instanceof Effect.Note note && note.event() == Event.STATE_TRANSFER_FINISHED) {
            stand.installing = false;
        }
    }

    /** A correct replica takes the checkpoint at the end of this batch. */
    public void checkpointAfter(Effect.Execute batch) {
        hitIf(batch.calls().isEmpty() && batch.seed().equals(Batch.NULL.digest()), NULL_CHECKPOINT);
    }

    private void promised(Stand stand, Promise promise) {
        if (promise instanceof Promise.LeaveView p) {
            hitIf(stand.left, TWO_VIEW_CHANGES);
            hitIf(p.viewChange().view() > stand.view + 1, VIEWS_SKIPPED);
            stand.view = p.viewChange().view();
            stand.left = true;
        } else if (promise instanceof Promise.EnterView p) {
            NewView newView = p.newView().statement();
            hitIf(newView.view() > stand.view, TAKEN_ALONG);
            begins(newView);
            stand.view = newView.view();
            stand.left = false;
        } else if (promise instanceof Promise.LeadView p) {
            stand.view = p.view();
            stand.left = false;
        } else if (promise instanceof Promise.AgreeTo p) {
            Digest before = stand.agreed.put(p.prepare().seq(), p.prepare().digest());
            hitIf(before != null && !before.equals(p.prepare().digest()), SECOND_AGREEMENT);
            Digest first = agreedFirst.putIfAbsent(
                    new Place(p.prepare().view(), p.prepare().seq()),
                    p.prepare().digest());
            hitIf(first != null && !first.equals(p.prepare().digest()), SPLIT);
        }
    }

    private void begins(NewView newView) {
        hitIf(
                newView.proposals().stream()
                        .anyMatch(proposal -> proposal.statement().digest().equals(Batch.NULL.digest())),
                NULL_SLOT);
        Map<Long, Digest> prepared = new TreeMap<>();
        boolean choice = false;
        SortedSet<Long> checkpoints = new TreeSet<>();
        for (Signed<ViewChange> change : newView.viewChanges()) {
            checkpoints.add(change.statement().stable().seq());
            for (PreparedCertificate certificate : change.statement().prepared()) {
                Digest other = prepared.put(certificate.seq(), certificate.digest());
                choice |= other != null && !other.equals(certificate.digest());
            }
        }
        hitIf(choice, CHOICE);
        hitIf(checkpoints.size() > 1, TWO_CHECKPOINTS);
    }

    private void hitIf(boolean taken, String path) {
        if (taken) {
            hit.accept(path);
        }
    }

    /** What of {@link #all} is not among {@code seen}. */
    public static List<String> missing(Set<String> seen) {
        List<String> missing = new ArrayList<>(all());
        missing.removeAll(seen);
        return missing;
    }
}
