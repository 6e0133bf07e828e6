package io.pbft.benchmarks.rival;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;

/** What servers and clients of Apache Ratis have in common here. */
final class Ratis {
    private static final UUID GROUP = new UUID(0x7062_6674, 1);

    private Ratis() {}

    static String name(int id) {
        return "n" + id;
    }

    static RaftGroup group(List<Integer> ports) {
        List<RaftPeer> peers = new ArrayList<>();
        for (int i = 0; i < ports.size(); i++) {
            peers.add(RaftPeer.newBuilder()
                    .setId(name(i))
                    .setAddress("127.0.0.1:" + ports.get(i))
                    .build());
        }
        return RaftGroup.valueOf(RaftGroupId.valueOf(GROUP), peers);
    }
}
