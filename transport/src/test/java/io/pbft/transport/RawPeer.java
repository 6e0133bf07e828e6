package io.pbft.transport;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.protocol.NodeId;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * The other end of a connection by the JDK alone: speaks TLS with any key, and whatever bytes a test wants inside it.
 */
final class RawPeer implements AutoCloseable {
    final SSLSocket socket;
    final DataInputStream in;
    final DataOutputStream out;

    private RawPeer(SSLSocket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(1_000 * Recorder.PATIENCE_SECONDS);
        this.in = new DataInputStream(socket.getInputStream());
        this.out = new DataOutputStream(socket.getOutputStream());
    }

    /** Dials; shakes hands when first read from, and only that shows whether the other side accepts. */
    static RawPeer dial(InetSocketAddress address, NodeId name, Bytes seed) throws IOException {
        return dial(address, context(name, seed));
    }

    static RawPeer dial(InetSocketAddress address, SSLContext context) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(address.getAddress(), address.getPort());
        return new RawPeer(socket);
    }

    /** Dials, and waits to be accepted: the empty frame. */
    static RawPeer accepted(InetSocketAddress address, NodeId name) throws IOException {
        RawPeer peer = dial(address, name, Net.seed(name));
        int size = peer.in.readInt();
        if (size != 0) {
            throw new IOException("the first frame is not empty but has " + size + " bytes");
        }
        return peer;
    }

    /** A TLS context with the certificate of a node's own making, that trusts everyone. */
    static SSLContext context(NodeId name, Bytes seed) {
        try {
            PrivateKey key = KeyFactory.getInstance("Ed25519")
                    .generatePrivate(
                            new PKCS8EncodedKeySpec(KeyFiles.privateKeyDer(seed).toByteArray()));
            X509Certificate certificate = Tls.selfSigned(name, new Ed25519().signer(seed));
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("key", key, new char[0], new X509Certificate[] {certificate});
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, new char[0]);
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(keys.getKeyManagers(), new TrustManager[] {new Gullible()}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads to the end: what a peer finds that is thrown out. @return the bytes that came before the end */
    static long readToEnd(Socket socket) {
        long bytes = 0;
        try {
            byte[] buffer = new byte[8_192];
            for (int n = socket.getInputStream().read(buffer);
                    n >= 0;
                    n = socket.getInputStream().read(buffer)) {
                bytes += n;
            }
            return bytes;
        } catch (java.net.SocketTimeoutException e) {
            throw new AssertionError("the connection was not closed", e);
        } catch (IOException e) {
            return bytes; // A reset, or a TLS alert, is an end as well.
        }
    }

    long readToEnd() {
        return readToEnd(socket);
    }

    void frame(byte[] content) throws IOException {
        out.writeInt(content.length);
        out.write(content);
        out.flush();
    }

    /** As when the process is killed: the kernel resets the connection. */
    void kill() throws IOException {
        socket.setSoLinger(true, 0);
        close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    static X509TrustManager trustingAll() {
        return new Gullible();
    }

    private static final class Gullible implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
