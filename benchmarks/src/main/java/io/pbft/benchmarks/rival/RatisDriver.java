package io.pbft.benchmarks.rival;

import io.pbft.benchmarks.Driver;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;

/** Clients of Apache Ratis, through its asynchronous interface. */
public final class RatisDriver implements Driver {
    private static final int OUTSTANDING_MAX = 32_768;

    private final List<RaftClient> clients = new ArrayList<>();
    private volatile int identities = 1;

    public RatisDriver(List<Integer> ports, int identities) {
        RaftProperties properties = new RaftProperties();
        // By default a client has 100 outstanding at most, and a caller waits for room.
        RaftClientConfigKeys.Async.setOutstandingRequestsMax(properties, OUTSTANDING_MAX);
        for (int i = 0; i < identities; i++) {
            clients.add(RaftClient.newBuilder()
                    .setProperties(properties)
                    .setRaftGroup(Ratis.group(ports))
                    .setParameters(new Parameters())
                    .build());
        }
    }

    @Override
    public void prepare(int workers, int among) {
        identities = among;
        put(0, Bytes.EMPTY).join();
    }

    @Override
    public CompletableFuture<?> put(int worker, Bytes value) {
        byte[] operation =
                new KvOperation.Put(Driver.key(worker), value).encode().toByteArray();
        return clients.get(worker % identities)
                .async()
                .send(Message.valueOf(ByteString.copyFrom(operation)))
                .thenApply(RatisDriver::require);
    }

    private static RaftClientReply require(RaftClientReply reply) {
        if (!reply.isSuccess()) {
            throw new IllegalStateException("refused by the server", reply.getException());
        }
        return reply;
    }

    @Override
    public void close() throws IOException {
        for (RaftClient client : clients) {
            client.close();
        }
    }
}
