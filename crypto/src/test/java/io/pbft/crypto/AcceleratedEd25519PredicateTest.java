package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** All of {@link Ed25519PredicateTest} with the native library in front: the same answers. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class AcceleratedEd25519PredicateTest extends Ed25519PredicateTest {
    @Override
    Ed25519 scheme() {
        return Ed25519.accelerated();
    }

    @Test
    void theLibraryIsThere() {
        assertThat(scheme().accelerator())
                .hasValueSatisfying(name -> assertThat(name).contains("Corretto"));
    }
}
