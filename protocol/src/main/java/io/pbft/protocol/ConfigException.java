package io.pbft.protocol;

import java.io.Serial;

/**
 * A configuration that cannot be used: says in which file, at which path in it, what was expected and what was found.
 */
public final class ConfigException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String file;
    private final String path;

    /** @param path such as {@code replicas[2].port}; empty for the document as a whole */
    public ConfigException(String file, String path, String problem) {
        super(file + ": " + (path.isEmpty() ? "" : path + ": ") + problem);
        this.file = file;
        this.path = path;
    }

    public String file() {
        return file;
    }

    public String path() {
        return path;
    }
}
