package io.pbft.client;

/**
 * The operation was executed, and the replicas agree on its result; but it is no result that the service gives which this client
 * is for: the cluster runs another one. The message says which was expected and what came. Thrown by {@link
 * io.pbft.client.kv.KvClient}, and by clients of other services that find the same.
 */
public final class WrongServiceException extends PbftException {
    private static final long serialVersionUID = 1L;

    /** @param message which service was expected, and what came instead */
    public WrongServiceException(String message, Throwable cause) {
        super(message, cause);
    }
}
