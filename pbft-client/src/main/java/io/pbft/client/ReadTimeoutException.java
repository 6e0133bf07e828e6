package io.pbft.client;

/** A read was not answered before its deadline. It changes nothing: to ask again is safe. */
public final class ReadTimeoutException extends PbftException {
    private static final long serialVersionUID = 1L;

    ReadTimeoutException(String message) {
        super(message);
    }
}
