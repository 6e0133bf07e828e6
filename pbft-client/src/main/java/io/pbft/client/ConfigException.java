package io.pbft.client;

/** The configuration, or a key file, is missing or wrong; the message says which one, where, and what to do. */
public final class ConfigException extends PbftException {
    private static final long serialVersionUID = 1L;

    ConfigException(String message) {
        super(message);
    }

    ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
