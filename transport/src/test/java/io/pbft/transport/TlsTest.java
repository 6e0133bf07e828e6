package io.pbft.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.crypto.Signer;
import java.security.cert.X509Certificate;
import org.junit.jupiter.api.Test;

class TlsTest {
    private final Signer signer = new Ed25519().signer(Net.seed(Net.R0));

    @Test
    void theCertificateIsTheSameAtEveryStart() throws Exception {
        assertThat(Tls.selfSigned(Net.R0, signer).getEncoded())
                .isEqualTo(Tls.selfSigned(Net.R0, signer).getEncoded());
    }

    @Test
    void theCertificateNamesItsNodeCarriesItsKeyAndIsSignedByIt() throws Exception {
        X509Certificate certificate = Tls.selfSigned(Net.R0, signer);
        assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=replica-0");
        assertThat(certificate.getPublicKey().getEncoded())
                .isEqualTo(KeyFiles.publicKeyDer(signer.publicKey()).toByteArray());
        certificate.checkValidity();
        certificate.verify(certificate.getPublicKey());
        assertThat(certificate.getSigAlgOID()).isEqualTo("1.3.101.112");
    }

    @Test
    void theGreaterNodeDialsTheLesser() {
        Tls tls = new Tls(Net.R1, Net.seed(Net.R1), new Net().keys);
        assertThat(tls.mayDialUs(Net.R0)).isFalse();
        assertThat(tls.mayDialUs(Net.R1)).isFalse();
        assertThat(tls.mayDialUs(Net.R2)).isTrue();
        assertThat(tls.mayDialUs(Net.C0)).isTrue();
    }
}
