package io.pbft.transport;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signer;
import io.pbft.protocol.NodeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.jspecify.annotations.Nullable;

/**
 * TLS 1.3 with mutual authentication, where a node's identity is its registered Ed25519 key and nothing else.
 * Thread-safe.
 *
 * <p>Each node presents a certificate that it has made itself, for the only reason that TLS carries public keys in
 * certificates. Names, dates, issuers and the certificate's own signature mean nothing here: a certificate is accepted
 * if and only if it comes alone and its public key is registered for a node that may be at the other end. That the peer
 * holds the private key is proved by TLS itself (CertificateVerify, RFC 8446, section 4.4.3).
 *
 * <p>Session resumption cannot get around this: the identity of a connection is read from its session after every
 * handshake, a resumed one as well ({@link #peer}), and only keys registered in this very object pass. The key also
 * signs protocol statements; TLS puts 64 blanks and a context string before what it signs, so that neither can stand
 * for the other.
 */
final class Tls {
    private static final List<String> CIPHERS =
            List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");
    private static final AlgorithmIdentifier ED25519 = new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.3.101.112"));

    private final NodeId self;
    private final PrivateKey privateKey;
    private final X509Certificate certificate;
    private final Map<Bytes, NodeId> nodesByKey;

    Tls(NodeId self, Bytes privateKey, Map<NodeId, PublicKey> keys) {
        this.self = self;
        Map<Bytes, NodeId> nodes = new TreeMap<>();
        keys.forEach((node, key) -> nodes.put(KeyFiles.publicKeyDer(key), node));
        this.nodesByKey = Collections.unmodifiableMap(nodes);
        try {
            this.privateKey = KeyFactory.getInstance("Ed25519")
                    .generatePrivate(new PKCS8EncodedKeySpec(
                            KeyFiles.privateKeyDer(privateKey).toByteArray()));
            this.certificate = selfSigned(self, new Ed25519().signer(privateKey));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform from 15 on has Ed25519 and X.509", e);
        }
    }

    /** What accepts connections: from any registered node that is to dial this one. */
    SslContext server() {
        try {
            return SslContextBuilder.forServer(new OwnKey())
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .ciphers(CIPHERS)
                    .clientAuth(ClientAuth.REQUIRE)
                    .trustManager(new PinnedKeys(this::mayDialUs))
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("cannot set up TLS 1.3 with an Ed25519 certificate", e);
        }
    }

    /** What dials: {@code peer} and no one else. */
    SslContext client(NodeId peer) {
        try {
            return SslContextBuilder.forClient()
                    .keyManager(new OwnKey())
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .ciphers(CIPHERS)
                    .endpointIdentificationAlgorithm(null)
                    .trustManager(new PinnedKeys(peer::equals))
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("cannot set up TLS 1.3 with an Ed25519 certificate", e);
        }
    }

    /** Of two nodes the greater dials the lesser. */
    boolean mayDialUs(NodeId peer) {
        return peer.compareTo(self) > 0;
    }

    /** Who is at the other end of a session, or null when its key is not registered. */
    @Nullable
    NodeId peer(SSLSession session) {
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain.length == 1 ? owner(chain[0]) : null;
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    private @Nullable NodeId owner(Certificate presented) {
        return nodesByKey.get(Bytes.wrap(presented.getPublicKey().getEncoded()));
    }

    /** The certificate that a node presents: the same bytes at every start. */
    static X509Certificate selfSigned(NodeId node, Signer signer) throws CertificateException {
        X500Name name = new X500Name("CN=" + node);
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                name,
                BigInteger.ONE,
                Date.from(Instant.parse("2000-01-01T00:00:00Z")),
                Date.from(Instant.parse("9999-12-31T23:59:59Z")),
                name,
                SubjectPublicKeyInfo.getInstance(
                        KeyFiles.publicKeyDer(signer.publicKey()).toByteArray()));
        try {
            byte[] der = builder.build(new CertificateSigner(signer)).getEncoded();
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (IOException e) {
            throw new IllegalStateException("a certificate made here cannot be encoded", e);
        }
    }

    /** Signs a certificate with the scheme's own signer, so that there is one signing code in the house. */
    private static final class CertificateSigner implements ContentSigner {
        private final Signer signer;
        private final ByteArrayOutputStream content = new ByteArrayOutputStream();

        CertificateSigner(Signer signer) {
            this.signer = signer;
        }

        @Override
        public AlgorithmIdentifier getAlgorithmIdentifier() {
            return ED25519;
        }

        @Override
        public OutputStream getOutputStream() {
            return content;
        }

        @Override
        public byte[] getSignature() {
            return signer.sign(content.toByteArray()).toByteArray();
        }
    }

    /**
     * Keeps to itself what fails after the channel has closed: by then nobody is left in the pipeline to take it, and
     * Netty would log a warning for each stranger.
     */
    static final class Handler extends SslHandler {
        Handler(SSLEngine engine, Executor tasks) {
            super(engine, false, tasks);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) throws Exception {
            if (context.channel().isOpen()) {
                super.exceptionCaught(context, cause);
            }
        }
    }

    /** The peer's key is not one that may be at the other end. */
    static final class UnknownKeyException extends CertificateException {
        UnknownKeyException(String message) {
            super(message);
        }
    }

    /**
     * One key, whatever is asked for. Without it each context would put the key into a key store of its own, encrypted under
     * a password, which takes longer than a handshake.
     */
    private final class OwnKey extends X509ExtendedKeyManager {
        private static final String ALIAS = "own";

        @Override
        public String[] getClientAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String chooseClientAlias(String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public String chooseEngineClientAlias(
                String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return ALIAS;
        }

        @Override
        public String chooseEngineServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return ALIAS;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return new X509Certificate[] {certificate};
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return privateKey;
        }
    }

    /**
     * Extends the extended trust manager: a plain one would be wrapped by the JDK and asked about host names and dates.
     */
    private final class PinnedKeys extends X509ExtendedTrustManager {
        private final Predicate<NodeId> expected;

        PinnedKeys(Predicate<NodeId> expected) {
            this.expected = expected;
        }

        private void check(X509Certificate[] chain) throws UnknownKeyException {
            if (chain.length != 1) {
                throw new UnknownKeyException("expected one certificate, got " + chain.length);
            }
            NodeId owner = owner(chain[0]);
            if (owner == null) {
                throw new UnknownKeyException("the key in the certificate is not registered for any node");
            }
            if (!expected.test(owner)) {
                throw new UnknownKeyException("the key in the certificate is that of " + owner
                        + ", who should not be at the other end of this connection");
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            check(chain);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
