package io.pbft.crypto;

import java.security.Provider;
import java.util.Optional;

/** The Amazon Corretto Crypto Provider (AWS-LC), when it is on the class path, wanted, and works on this machine. */
final class NativeLibrary {
    private static final String PROVIDER = "com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider";

    /** Without it the provider takes only keys of the platform's classes, and translates them again each time. */
    private static final String OWN_KEYS = "com.amazon.corretto.crypto.provider.registerEdKeyFactory";

    private NativeLibrary() {}

    /** Loads the library; empty where it is absent, is not for this machine, fails its own tests, or is left out. */
    static Optional<Provider> find() {
        if ("off".equals(System.getProperty(Ed25519.ACCELERATOR))) {
            return Optional.empty();
        }
        try {
            if (System.getProperty(OWN_KEYS) == null) {
                System.setProperty(OWN_KEYS, "true");
            }
            Class<?> type = Class.forName(PROVIDER);
            Provider provider = (Provider) type.getField("INSTANCE").get(null);
            boolean works = type.getMethod("getLoadingError").invoke(provider) == null;
            return works ? Optional.of(provider) : Optional.empty();
        } catch (ReflectiveOperationException | LinkageError | RuntimeException absent) {
            return Optional.empty();
        }
    }
}
