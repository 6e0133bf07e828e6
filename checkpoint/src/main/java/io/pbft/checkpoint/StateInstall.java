package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A state transfer in progress, as the store sees it: which nodes are missing, which arrived. Every node is checked against
 * the digest that its parent gives for it before anything else is done with it. Only subtrees that differ from what the
 * store holds are asked for.
 *
 * <p>No call takes long, however large the state is: what an earlier transfer left is looked through piece by piece, as
 * {@link #missing} is called, and {@link #commit} works in the background. NOT thread-safe.
 */
public interface StateInstall {
    /**
     * How far it is. What counts is exact; bytes that are still to come are estimated.
     *
     * @param bytesReceived of nodes that arrived
     * @param bytesExpected of nodes that will have arrived in the end: an estimate, which grows while little is known
     * @param entriesMissing entries of the state below nodes that are not here yet, or not looked at yet
     * @param entries of the whole state; 0 until its root is here
     */
    record Progress(long bytesReceived, long bytesExpected, long entriesMissing, long entries) {}

    long seq();

    Digest root();

    /**
     * Up to {@code max} paths of nodes that are missing now and not in {@code except}: more appear as nodes arrive. There may
     * be none although it is not complete: what is here already is still being looked through, or the disk is behind with
     * what arrived. Ask again soon.
     */
    List<Bytes> missing(Set<Bytes> except, int max);

    /** Takes a node. False: its content is not what was certified (the sender lied or is confused), and it changed nothing. */
    boolean offer(StateNodes.Node node);

    /**
     * Whether nothing is missing and no checkpoint of one's own is on its way to the disk, which might bring changes that the
     * plan does not know. It may become true, or nodes be missing again, without a node's arrival: ask now and then.
     */
    boolean complete();

    /**
     * Makes the complete state durable in one transaction, in the background, and then current. Until then the state is what
     * it was, and a crash leaves it so, with what arrived. No checkpoint and no other transfer may begin meanwhile.
     *
     * @param onEnd told, on the thread that calls the store: true, {@link StateStore#seq} is this one's now; false, some of what
     *     had arrived was damaged on the disk, and is missing again
     * @throws IllegalStateException when it is not complete
     */
    void commit(Consumer<Boolean> onEnd);

    /** Gives it up; what arrived may be kept for the next one. */
    void abandon();

    Progress progress();
}
