package io.pbft.simulator.node;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Message;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Signed;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.KeyModel;

/** What nodes tell the checkers. Replicas and clients that are faulty on purpose are not heard here, but for operations and
 * accusations. */
public interface Watch {
    void executed(int replica, Effect.Execute batch);

    /** The replica's core wants this done; each effect, in order. */
    void wanted(int replica, Effect effect);

    /** A client's read reached the replica's core. */
    void asked(int replica, int client, ReadRequest request);

    /** The replica's core asks others for batches; {@code stable} is its stable checkpoint. */
    void fetches(int replica, BatchFetch fetch, long stable);

    void sent(int replica, Message message);

    /** An entry became durable in a replica's journal. */
    void durable(int replica, JournalEntry entry);

    void checkpoint(int replica, long seq, Digest state);

    void reported(int replica, ReplicaReport report, int journalEntries);

    void noted(int replica, Effect.Note note);

    /** A replica, correct or not, keeps these two statements as evidence against their signer. */
    void accused(int replica, Signed<?> first, Signed<?> second);

    /** A node threw, or stopped for good. */
    void failed(String node, Throwable cause);

    /** A client signs and sends an operation; {@code correct} says whether the client is. */
    void invoked(int client, boolean correct, Call call, Bytes operation, boolean fast);

    void withdrawn(int client, Call call);

    void returned(int client, Call call, KeyModel.Answer answer, long seq);

    /** A client takes something for proof that proves nothing. */
    void badReceipt(int client, String why);
}
