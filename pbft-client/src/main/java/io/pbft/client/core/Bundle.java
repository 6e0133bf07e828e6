package io.pbft.client.core;

import io.pbft.protocol.Request;

/** A request in flight: operations that share one signature, and when it is sent again. NOT thread-safe. */
final class Bundle {
    final Request request;
    final long sentAtTick;

    /** Operations that no leaf is agreed on yet; at 0 the request need not be sent again. */
    int open;

    /** Those of them that somebody waits for. */
    int awaited;

    /** Whether it went to all replicas already, and not only to the primary. */
    boolean broadcast;

    long retransmitAtTick;
    long retransmitTicks;

    /** Replicas that refuse it for being overloaded, and for its session being forgotten: bit i for replica i. */
    int overloaded;

    int expired;

    Bundle(Request request, long nowTick, long retransmitTicks) {
        this.request = request;
        this.sentAtTick = nowTick;
        this.open = request.operations().size();
        this.awaited = open;
        this.retransmitTicks = retransmitTicks;
        this.retransmitAtTick = nowTick + retransmitTicks;
    }
}
