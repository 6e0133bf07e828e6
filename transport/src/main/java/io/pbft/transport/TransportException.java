package io.pbft.transport;

/** The transport cannot start; the message says where and what to do. */
public final class TransportException extends RuntimeException {
    TransportException(String message, Throwable cause) {
        super(message, cause);
    }
}
