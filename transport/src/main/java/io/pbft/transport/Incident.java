package io.pbft.transport;

/** Why a frame was dropped or a connection refused or closed: what {@link TransportStats} counts. */
public enum Incident {
    /** A frame for a peer that there is no connection with. */
    DROPPED_NOT_CONNECTED,
    /** The oldest frames of a full priority lane. */
    DROPPED_PRIORITY_FULL,
    /** The oldest frames of a full bulk lane: the peer reads more slowly than we send. */
    DROPPED_BULK_FULL,
    /** Frames that waited when their connection closed. */
    DROPPED_CONNECTION_CLOSED,

    /** A newcomer while as many handshakes as allowed were under way. */
    REFUSED_HANDSHAKES_FULL,
    /** A newcomer from an address with as many handshakes under way as allowed for one. */
    REFUSED_ADDRESS_FULL,
    /** An authenticated client while as many connections as allowed were open. */
    REFUSED_CONNECTIONS_FULL,
    /** A peer whose key is not registered, or not the one of the node that was dialled, or not allowed to dial us. */
    REFUSED_KEY,
    /** What was not TLS 1.3 with a certificate, or broke off before it was. */
    HANDSHAKE_FAILED,
    HANDSHAKE_TIMEOUT,

    /** We dialled, and the peer closed before it had accepted us: it does not know our key, or is full. */
    CLOSED_BEFORE_ACCEPTED,
    /** A newer connection of the same node took the place. */
    CLOSED_REPLACED,
    /** Nothing was heard for the read idle time. */
    CLOSED_READ_IDLE,
    /** A frame that announced a negative size or one over the limit. */
    CLOSED_BAD_FRAME,
    /** The connection broke. */
    CLOSED_IO_ERROR,
    /** The peer closed the connection. */
    CLOSED_BY_PEER,
    /** This transport was closed. */
    CLOSED_HERE,
    /** Our own frame handler threw. */
    CLOSED_HANDLER_FAILED,
    /** An outgoing connection could not be made. */
    DIAL_FAILED
}
