package io.pbft.replica.core;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Signed;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a replica's core wants done. The driver carries effects out in the order in which the core emitted them. */
public sealed interface Effect {
    /** See {@link io.pbft.replica.core.Promise}. */
    record Bind(Promise promise) implements Effect {}

    /** Sends a message to one node; it may be lost or repeated freely, so it never carries a vote made just now. */
    record Send(NodeId to, Message message) implements Effect {}

    /** Sends a message to all other replicas, likewise. */
    record Broadcast(Message message) implements Effect {}

    /**
     * Runs operations on the state machine and answers with {@link Input.Executed}. Comes in ascending order of
     * sequence number, without gaps, once each. An operation whose result finds no {@code room} leaves no trace in
     * the state, and its outcome is {@link Outcome#RESULTS_FULL}.
     */
    record Execute(long seq, long timeMillis, Digest seed, List<Call> calls, ResultRoom room) implements Effect {
        public Execute {
            calls = List.copyOf(calls);
        }
    }

    /** One operation to run. */
    record Call(int client, Bytes operation) {}

    /** Signs one tree over these answers and sends each client its part. */
    record Reply(long view, List<Answer> answers) implements Effect {
        public Reply {
            answers = List.copyOf(answers);
        }
    }

    /** An answer to a client. {@code full}: with the result's bytes, otherwise with their digest alone. */
    record Answer(
            int client,
            long epoch,
            long number,
            long seq,
            long timeMillis,
            Digest operation,
            Outcome outcome,
            Bytes result,
            boolean full) {}

    /** Runs a query on the state as it is now, and sends the {@link io.pbft.protocol.ReadReply}. */
    record Query(int client, long nonce, long seq, long timeMillis, boolean full, Bytes operation) implements Effect {}

    /**
     * Takes the checkpoint of the state as it is now, after {@code seq}, and answers with {@link Input.SnapshotTaken}.
     *
     * @param systemChanges see {@link io.pbft.checkpoint.StateStore#checkpoint}
     */
    record TakeSnapshot(long seq, Map<Bytes, Optional<Bytes>> systemChanges) implements Effect {
        public TakeSnapshot {
            systemChanges = java.util.Collections.unmodifiableMap(new TreeMap<>(systemChanges));
        }
    }

    /**
     * Replaces the state by that of a certified checkpoint, fetched from the others, and answers with
     * {@link Input.StateInstalled}. A later one replaces one that is under way.
     */
    record InstallState(CheckpointCertificate checkpoint) implements Effect {}

    /**
     * The window begins at a stable checkpoint whose state is not durable here yet. The proof must be durable
     * before each promise that follows: after a restart that knew the old window alone, those would lie beyond it,
     * and be forgotten.
     */
    record KeepProof(CheckpointCertificate stable) implements Effect {}

    /** A checkpoint is stable and its state is here: journal and snapshots before it may go. */
    record Truncate(CheckpointCertificate stable) implements Effect {}

    /** Two statements of one replica that no correct replica signs both: to be kept. */
    record Accuse(Signed<?> first, Signed<?> second) implements Effect {}

    /** Something an operator or a test may want to know. It changes nothing. */
    record Note(Event event, long view, long seq, String detail) implements Effect {}
}
