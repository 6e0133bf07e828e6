package io.pbft.replica.core;

import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Commit;
import io.pbft.protocol.NewView;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.List;
import java.util.Optional;

/**
 * What a replica finds on its disk when it starts: what it promised and why, and the state of its last durable checkpoint.
 *
 * @param stable the last stable checkpoint that it knows a proof of
 * @param newView the NEW-VIEW of the view it was last in; empty in view 0
 * @param viewChange its last VIEW-CHANGE; when it is for a higher view than {@code newView}'s, the replica had left that view
 * @param proposals PRE-PREPAREs with their batches, its own and others', above the stable checkpoint
 * @param prepared the prepared certificates above it
 * @param prepares its own PREPAREs, and {@code commits} its own COMMITs
 * @param checkpoints its own CHECKPOINTs
 * @param stateSeq the sequence number of the durable checkpoint that the state stands at
 * @param stateRoot its root
 * @param system the system's entries in it
 * @param rejoining whether the disk was lost: then it votes only beyond what it could have voted for before
 */
public record Recovered(
        CheckpointCertificate stable,
        Optional<Signed<NewView>> newView,
        Optional<Signed<ViewChange>> viewChange,
        List<Proposal> proposals,
        List<PreparedCertificate> prepared,
        List<Signed<Prepare>> prepares,
        List<Signed<Commit>> commits,
        List<Signed<Checkpoint>> checkpoints,
        long stateSeq,
        Digest stateRoot,
        List<StateView.Entry> system,
        boolean rejoining) {
    public Recovered {
        proposals = List.copyOf(proposals);
        prepared = List.copyOf(prepared);
        prepares = List.copyOf(prepares);
        commits = List.copyOf(commits);
        checkpoints = List.copyOf(checkpoints);
        system = List.copyOf(system);
    }

    /** An empty disk in a cluster that begins. */
    public static Recovered nothing() {
        return new Recovered(
                CheckpointCertificate.GENESIS,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                0,
                Digest.ZERO,
                List.of(),
                false);
    }
}
