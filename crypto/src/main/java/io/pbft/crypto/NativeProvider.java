package io.pbft.crypto;

import java.security.Provider;
import java.security.Security;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Has the native library of {@link Ed25519#accelerated} do, for a whole process, what the platform's classes do fast only
 * once the optimising compiler has got to them: SHA-256, and AES-GCM, with which JSSE seals the records of TLS. In
 * the first seconds of a JVM a record of 16 KB takes half a millisecond there and 10 us here, and the digest of 100 KB
 * 1 to 4 ms there and 0.1 here; later they are alike. Replicas that have just started would otherwise fall behind when values
 * are large. Thread-safe.
 */
public final class NativeProvider extends Provider {
    private static final long serialVersionUID = 1;
    private static final String NAME = "PbftNative";
    private static final Set<String> OFFERED = Set.of("Cipher.AES/GCM/NOPADDING", "MessageDigest.SHA-256");

    private final transient Provider origin;

    private NativeProvider(Provider library) {
        super(NAME, "1", "SHA-256 and AES-GCM of " + library.getName());
        origin = library;
    }

    /**
     * Puts it before the platform's providers, for this whole process: for programs to call as they start, not for
     * libraries. Does nothing where it stands there already, where the library is absent, or where
     * {@value Ed25519#ACCELERATOR} is {@code off}. Nothing but speed depends on it.
     *
     * @return whether the process uses it now
     */
    public static boolean register() {
        Optional<Provider> library = NativeLibrary.find();
        library.ifPresent(found -> Security.insertProviderAt(new NativeProvider(found), 1));
        return library.isPresent();
    }

    @Override
    public @Nullable Service getService(String type, String algorithm) {
        // The library's own service: whoever looks it up gets an object of the library, whose jar is signed, as some
        // platforms demand of what enciphers.
        boolean offered = OFFERED.contains(type + "." + algorithm.toUpperCase(Locale.ROOT));
        return offered ? origin.getService(type, algorithm) : null;
    }
}
