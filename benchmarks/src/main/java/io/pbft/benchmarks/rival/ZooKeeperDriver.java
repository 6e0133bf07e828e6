package io.pbft.benchmarks.rival;

import io.pbft.benchmarks.Driver;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/** Sessions with Apache ZooKeeper, through its asynchronous interface. Every worker has a node of its own. */
public final class ZooKeeperDriver implements Driver {
    private static final int SESSION_MILLIS = 60_000;
    private static final int CONNECT_SECONDS_MAX = 60;

    private final List<ZooKeeper> sessions = new ArrayList<>();
    private int prepared;
    private volatile int identities = 1;

    /** @param ports of the servers, for clients */
    public ZooKeeperDriver(List<Integer> ports, int identities) throws IOException, InterruptedException {
        String servers =
                String.join(",", ports.stream().map(port -> "127.0.0.1:" + port).toList());
        CountDownLatch connected = new CountDownLatch(identities);
        for (int i = 0; i < identities; i++) {
            sessions.add(new ZooKeeper(servers, SESSION_MILLIS, event -> {
                if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                    connected.countDown();
                }
            }));
        }
        if (!connected.await(CONNECT_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IOException("ZooKeeper's servers do not answer on " + servers + "; see their logs");
        }
    }

    @Override
    public void prepare(int workers, int among) throws InterruptedException, KeeperException {
        identities = among;
        for (; prepared < workers; prepared++) {
            sessions.get(0).create(path(prepared), new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        }
    }

    @Override
    public CompletableFuture<?> put(int worker, Bytes value) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        sessions.get(worker % identities)
                .setData(
                        path(worker),
                        value.toByteArray(),
                        -1,
                        (code, path, context, stat) -> {
                            if (code == KeeperException.Code.OK.intValue()) {
                                done.complete(null);
                            } else {
                                done.completeExceptionally(
                                        KeeperException.create(KeeperException.Code.get(code), path));
                            }
                        },
                        null);
        return done;
    }

    private static String path(int worker) {
        return "/bench-" + worker;
    }

    @Override
    public void close() throws IOException {
        try {
            for (ZooKeeper session : sessions) {
                session.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while sessions were closed");
        }
    }
}
