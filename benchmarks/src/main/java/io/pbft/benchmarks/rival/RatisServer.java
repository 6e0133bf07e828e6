package io.pbft.benchmarks.rival;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;

/**
 * A server of Apache Ratis with its default settings, which replicates a map of keys to values: the same operations as the
 * key-value service of this project, in the same encoding. Its log is on the disk and is synchronised before it counts.
 */
public final class RatisServer {
    private RatisServer() {}

    /** Starts server {@code id} of those that listen on {@code ports} of the loopback address. */
    public static RaftServer start(int id, List<Integer> ports, Path folder) throws IOException {
        RaftProperties properties = new RaftProperties();
        RaftServerConfigKeys.setStorageDir(properties, List.<File>of(folder.toFile()));
        GrpcConfigKeys.Server.setPort(properties, ports.get(id));
        RaftServer server = RaftServer.newBuilder()
                .setGroup(Ratis.group(ports))
                .setProperties(properties)
                .setServerId(RaftPeerId.valueOf(Ratis.name(id)))
                .setStateMachine(new MapStateMachine())
                .build();
        server.start();
        return server;
    }

    /** Kept in memory alone: after a restart Ratis applies its log anew. */
    private static final class MapStateMachine extends BaseStateMachine {
        private static final Message DONE = Message.valueOf("done");
        private final Map<Bytes, Bytes> map = new ConcurrentSkipListMap<>();

        @Override
        public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
            byte[] operation =
                    transaction.getStateMachineLogEntry().getLogData().toByteArray();
            if (KvOperation.decode(Bytes.wrap(operation)) instanceof KvOperation.Put put) {
                map.put(put.key(), put.value());
            }
            var entry = transaction.getLogEntry();
            updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
            return CompletableFuture.completedFuture(DONE);
        }
    }
}
