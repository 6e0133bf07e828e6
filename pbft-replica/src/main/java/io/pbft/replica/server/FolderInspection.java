package io.pbft.replica.server;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.checkpoint.LmdbStateStore;
import io.pbft.checkpoint.SegmentJournal;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.protocol.ViewChange;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the folder of a replica that does not run holds, as far as it can be read. Every entry of the journal is decoded
 * and verified; what is wrong is listed, and the rest is told all the same.
 *
 * @param view that it was in
 * @param viewLeftFor the view that it had asked for when that is a higher one, otherwise the same
 * @param stable the last stable checkpoint that it has a proof of; its proof names who signed
 * @param promises what it holds of each kind
 * @param checkpoints its own CHECKPOINTs
 * @param rejoining whether it may not vote yet
 * @param neverStarted whether it never ran
 * @param damages what is wrong, a sentence each
 * @param promisesLost whether it refuses to start without --rejoin
 */
public record FolderInspection(
        long view,
        long viewLeftFor,
        CheckpointCertificate stable,
        Map<Kind, Range> promises,
        List<Checkpoint> checkpoints,
        SegmentJournal.Contents journal,
        LmdbStateStore.Contents state,
        boolean rejoining,
        boolean neverStarted,
        List<String> damages,
        boolean promisesLost) {
    private static final int VERIFIER_CACHE_ENTRIES = 10_000;

    /** How many entries of a kind there are, and their lowest and highest sequence numbers. */
    public record Range(int entries, long first, long last) {
        private Range with(long seq) {
            return new Range(entries + 1, Math.min(first, seq), Math.max(last, seq));
        }
    }

    /**
     * Looks at the folder of replica {@code id}; changes nothing.
     *
     * @throws io.pbft.protocol.ConfigException when it is no folder
     * @throws io.pbft.checkpoint.StorageFailure when the replica runs, or the folder cannot be read
     */
    public static FolderInspection of(ClusterConfig cluster, int id, ReplicaFolder folder) {
        folder.requireFolder();
        SegmentJournal.Contents journal = SegmentJournal.inspect(folder.path());
        LmdbStateStore.Contents state = LmdbStateStore.inspect(folder.path());
        Reader reader = new Reader(cluster, id);
        journal.entries().forEach(reader::read);
        List<String> damages = new ArrayList<>(journal.damages());
        damages.addAll(reader.damages);
        damages.addAll(state.damages());
        boolean neverStarted = folder.isNew();
        boolean gone = !neverStarted && !SegmentJournal.wasBegun(folder.path());
        if (gone) {
            damages.add(folder.path() + ": there is no journal, and nothing says that the replica never ran");
        }
        return new FolderInspection(
                reader.view,
                Math.max(reader.view, reader.viewLeftFor),
                reader.stable,
                reader.promises,
                reader.checkpoints,
                journal,
                state,
                new RejoinMark(folder).isSet(),
                neverStarted,
                damages,
                gone || journal.promisesLost() || !reader.damages.isEmpty());
    }

    /** Takes in a journal's entries one by one. */
    private static final class Reader {
        private final NodeId self;
        private final Verifier verifier;
        private final EnumMap<Kind, Range> promises = new EnumMap<>(Kind.class);
        private final List<Checkpoint> checkpoints = new ArrayList<>();
        private final List<String> damages = new ArrayList<>();
        private CheckpointCertificate stable = CheckpointCertificate.GENESIS;
        private long view;
        private long viewLeftFor;

        Reader(ClusterConfig cluster, int id) {
            this.self = NodeId.replica(id);
            this.verifier =
                    new Verifier(VerifierContext.of(cluster).withSelf(self), new Ed25519(), VERIFIER_CACHE_ENTRIES);
        }

        void read(JournalEntry entry) {
            Range none = new Range(0, Long.MAX_VALUE, 0);
            promises.put(entry.kind(), promises.getOrDefault(entry.kind(), none).with(entry.seq()));
            String name = entry.kind() + " of sequence number " + entry.seq() + " in view " + entry.view();
            try {
                take(entry).ifPresent(rejected -> damages.add(name + " does not verify: " + rejected.reason()));
            } catch (MalformedMessage | ClassCastException e) {
                damages.add(name + " is not what this kind of entry holds: " + e.getMessage());
            }
        }

        private Optional<Verdict.Rejected> take(JournalEntry entry) {
            switch (entry.kind()) {
                case STABLE -> {
                    stable = Codec.decodeCheckpointCertificate(entry.content());
                    return verifier.verify(stable);
                }
                case PREPARED -> {
                    PreparedCertificate certificate = Codec.decodePreparedCertificate(entry.content());
                    return verifier.verify(certificate);
                }
                case NEW_VIEW, VIEW_CHANGE, CHECKPOINT, PROPOSAL, PREPARE, COMMIT -> {
                    return takeMessage(Codec.decode(entry.content()));
                }
            }
            throw new IllegalStateException("a kind of entry that nobody reads: " + entry.kind());
        }

        private Optional<Verdict.Rejected> takeMessage(Message message) {
            if (message instanceof Signed<?> signed) {
                if (signed.statement() instanceof NewView newView) {
                    view = newView.view();
                } else if (signed.statement() instanceof ViewChange viewChange) {
                    viewLeftFor = viewChange.view();
                } else if (signed.statement() instanceof Checkpoint checkpoint) {
                    checkpoints.add(checkpoint);
                }
            }
            return verifier.verify(self, message) instanceof Verdict.Rejected rejected
                    ? Optional.of(rejected)
                    : Optional.empty();
        }
    }
}
