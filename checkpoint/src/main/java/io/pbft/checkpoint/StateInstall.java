package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.util.List;

/**
 * A state transfer in progress, as the store sees it: which nodes are missing, which arrived. Every node is checked against
 * the digest that its parent gives for it before anything else is done with it. Only subtrees that differ from what the
 * store holds are asked for. NOT thread-safe.
 */
public interface StateInstall {
    long seq();

    Digest root();

    /** Up to {@code max} paths of nodes that are missing now, skipping the first {@code skip}: more appear as nodes arrive. */
    List<Bytes> missing(int skip, int max);

    /** Takes a node. False: its content is not what was certified (the sender lied or is confused), and it changed nothing. */
    boolean offer(StateNodes.Node node);

    /**
     * Whether nothing is missing and no checkpoint of one's own is on its way to the disk, which might bring changes that the
     * plan does not know. It may become true, or nodes be missing again, without a node's arrival: ask now and then.
     */
    boolean complete();

    /**
     * Makes the complete state durable and current, in one transaction: from now on {@link StateStore#seq} is this one's.
     *
     * @throws IllegalStateException when it is not complete
     */
    void commit();

    /** Gives it up; what arrived may be kept for the next one. */
    void abandon();

    /** Bytes of nodes that arrived so far: for progress reports. */
    long bytesReceived();
}
