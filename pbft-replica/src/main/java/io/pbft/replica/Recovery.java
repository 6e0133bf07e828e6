package io.pbft.replica;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.StateStore;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.checkpoint.StorageFailure.Part;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Recovered;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a replica promised before it stopped. A disk is believed no more than a peer: every entry is decoded, must
 * stand in its own place, and every signature and certificate in it is verified anew. An entry that fails is damage,
 * and damage to one's own promises must never pass for their absence: the replica does not start. A state that stands
 * before the stable checkpoint is no such damage: the core fetches what is missing.
 *
 * <p>NOT thread-safe; used once.
 */
public final class Recovery {
    private final NodeId self;
    private final Verifier verifier;
    private final String place;

    private CheckpointCertificate stable = CheckpointCertificate.GENESIS;
    private @Nullable Signed<NewView> newView;
    private @Nullable Signed<ViewChange> viewChange;
    private final List<Proposal> proposals = new ArrayList<>();
    private final List<PreparedCertificate> prepared = new ArrayList<>();
    private final List<Signed<Prepare>> prepares = new ArrayList<>();
    private final List<Signed<Commit>> commits = new ArrayList<>();
    private final List<Signed<Checkpoint>> checkpoints = new ArrayList<>();

    private Recovery(Config config, Verifier verifier, String place) {
        this.self = NodeId.replica(config.self());
        this.verifier = verifier;
        this.place = place;
    }

    /**
     * What is durable, verified. Entries that a stable checkpoint has made superfluous are left out.
     *
     * @param place where the journal is, for the message of a failure
     * @param rejoining handed on: see {@link Recovered}
     * @throws StorageFailure when something in the journal is not what this replica can have written
     */
    public static Recovered recover(
            Config config, Journal journal, StateStore store, Verifier verifier, String place, boolean rejoining) {
        Recovery recovery = new Recovery(config, verifier, place);
        List<JournalEntry> entries = journal.load();
        entries.stream()
                .filter(entry -> entry.kind() == JournalEntry.Kind.STABLE)
                .forEach(recovery::take);
        long low = recovery.stable.seq();
        entries.stream().filter(entry -> needed(entry, low)).forEach(recovery::take);
        return new Recovered(
                recovery.stable,
                Optional.ofNullable(recovery.newView),
                Optional.ofNullable(recovery.viewChange),
                recovery.proposals,
                recovery.prepared,
                recovery.prepares,
                recovery.commits,
                recovery.checkpoints,
                store.seq(),
                store.root(),
                store.systemEntries(),
                rejoining);
    }

    private static boolean needed(JournalEntry entry, long low) {
        return switch (entry.kind()) {
            case STABLE -> false;
            case VIEW_CHANGE, NEW_VIEW -> true;
            case CHECKPOINT -> entry.seq() >= low;
            case PROPOSAL, PREPARED, PREPARE, COMMIT -> entry.seq() > low;
        };
    }

    private void take(JournalEntry entry) {
        try {
            switch (entry.kind()) {
                case STABLE -> takeStable(entry);
                case VIEW_CHANGE -> viewChange = own(entry, ViewChange.class);
                case NEW_VIEW -> {
                    newView = signed(entry).as(NewView.class);
                    requireVerified(entry, newView);
                }
                case PROPOSAL -> takeProposal(entry);
                case PREPARED -> takePrepared(entry);
                case PREPARE -> {
                    Signed<Prepare> vote = own(entry, Prepare.class);
                    requirePlace(entry, vote.statement().seq(), vote.statement().view());
                    prepares.add(vote);
                }
                case COMMIT -> {
                    Signed<Commit> vote = own(entry, Commit.class);
                    requirePlace(entry, vote.statement().seq(), vote.statement().view());
                    commits.add(vote);
                }
                case CHECKPOINT -> {
                    Signed<Checkpoint> vote = own(entry, Checkpoint.class);
                    requirePlace(entry, vote.statement().seq(), 0);
                    checkpoints.add(vote);
                }
            }
        } catch (MalformedMessage | ClassCastException e) {
            throw damaged(name(entry), "it is not what this kind of entry holds: " + e.getMessage());
        }
    }

    private void takeStable(JournalEntry entry) {
        stable = Codec.decodeCheckpointCertificate(entry.content());
        require(entry, verifier.verify(stable));
    }

    private void takeProposal(JournalEntry entry) {
        Proposal proposal = message(entry, Proposal.class);
        PrePrepare header = proposal.prePrepare().statement();
        requirePlace(entry, header.seq(), header.view());
        requireVerified(entry, proposal);
        proposals.add(proposal);
    }

    private void takePrepared(JournalEntry entry) {
        PreparedCertificate certificate = Codec.decodePreparedCertificate(entry.content());
        requirePlace(entry, certificate.seq(), certificate.view());
        require(entry, verifier.verify(certificate));
        prepared.add(certificate);
    }

    private <S extends Statement> Signed<S> own(JournalEntry entry, Class<S> kind) {
        Signed<S> signed = signed(entry).as(kind);
        if (!signed.statement().signer().equals(self)) {
            throw damaged(name(entry), "it is " + signed.statement().signer() + "'s, not this replica's own");
        }
        requireVerified(entry, signed);
        return signed;
    }

    private void requireVerified(JournalEntry entry, Message message) {
        if (verifier.verify(self, message) instanceof Verdict.Rejected rejected) {
            require(entry, Optional.of(rejected));
        }
    }

    private void require(JournalEntry entry, Optional<Verdict.Rejected> rejected) {
        rejected.ifPresent(why -> {
            throw damaged(name(entry), "it does not verify: " + why.reason() + ", " + why.detail());
        });
    }

    private void requirePlace(JournalEntry entry, long seq, long view) {
        if (entry.seq() != seq || entry.view() != view) {
            throw damaged(name(entry), "it is about sequence number " + seq + " in view " + view);
        }
    }

    private static Signed<?> signed(JournalEntry entry) {
        return message(entry, Signed.class);
    }

    private static <M extends Message> M message(JournalEntry entry, Class<M> kind) {
        return kind.cast(Codec.decode(entry.content()));
    }

    private static String name(JournalEntry entry) {
        return entry.kind() + " at sequence number " + entry.seq() + ", view " + entry.view();
    }

    private StorageFailure damaged(String what, String why) {
        return StorageFailure.damaged(
                Part.JOURNAL,
                "the journal " + place + " is damaged: " + what + ": " + why
                        + "; its promises may be lost, so this replica must not vote from it. Check the disk's health,"
                        + " then start it once with --rejoin");
    }
}
