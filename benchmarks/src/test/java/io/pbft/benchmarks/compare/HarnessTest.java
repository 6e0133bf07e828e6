package io.pbft.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.benchmarks.Driver;
import io.pbft.benchmarks.floor.FloorDriver;
import io.pbft.benchmarks.floor.FloorServer;
import io.pbft.benchmarks.rival.RatisDriver;
import io.pbft.benchmarks.rival.RatisServer;
import io.pbft.cli.load.Load;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.ClusterConfig;
import java.nio.file.Path;
import java.util.List;
import org.apache.ratis.server.RaftServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each part of the comparison that can run in one process, with something tiny. */
class HarnessTest {
    private static final int OPERATIONS = 50;

    @TempDir
    private Path temp;

    @Test
    void theFloorServesManyClients() throws Exception {
        Services.initCluster(temp, 4, 2);
        ClusterConfig cluster = ClusterConfig.read(temp.resolve("cluster.json"), new Ed25519());
        try (FloorServer server = new FloorServer(cluster, temp.resolve("replica-0"));
                Driver driver = new FloorDriver(temp, 2)) {
            runSomeLoad(driver);
            assertThat(server.failure()).isNull();
        }
    }

    @Test
    void ratisServes() throws Exception {
        List<Integer> ports = Services.consecutivePorts(1);
        RaftServer server = RatisServer.start(0, ports, temp.resolve("server"));
        try (Driver driver = new RatisDriver(ports, 1)) {
            runSomeLoad(driver);
        } finally {
            server.close();
        }
    }

    private static void runSomeLoad(Driver driver) throws Exception {
        driver.prepare(4, 1);
        Bytes value = Bytes.wrap(new byte[10]);
        try (Load load = new Load(1, worker -> new Load.Started(0, driver.put(worker, value)))) {
            load.beginMeasuring();
            load.startClosed(4);
            while (load.answered() < OPERATIONS) {
                Thread.onSpinWait();
            }
            Load.Measured measured = load.endMeasuring();
            assertThat(measured.operations()).isGreaterThanOrEqualTo(OPERATIONS);
            assertThat(measured.errors()).isEmpty();
        }
    }

    @Test
    void steadyIsWhatGivesAsMuchAsBefore() {
        assertThat(LoadCommand.isSteady(new long[] {0, 100, 200, 300, 400, 500, 600}))
                .isTrue();
        assertThat(LoadCommand.isSteady(new long[] {0, 100, 200, 300, 410, 520, 640}))
                .isFalse();
        assertThat(LoadCommand.isSteady(new long[] {0, 0, 0, 0, 0, 0, 0})).isFalse();
    }

    @Test
    void aCellIsOneLine() {
        Cell cell = new Cell(Cell.Operation.FAST_READ, 1_024, 3, 300, 1234.5);
        assertThat(Cell.decode(cell.encode())).isEqualTo(cell);
        assertThatThrownBy(() -> new Cell(Cell.Operation.PUT, 0, 2, 1, 0)).hasMessageContaining("every client");
    }

    @Test
    void variantsOfThisProject() {
        assertThat(PbftService.Variant.of("pbft")).isEqualTo(new PbftService.Variant(4, false, 0));
        assertThat(PbftService.Variant.of("pbft-n13-dead")).isEqualTo(new PbftService.Variant(13, true, 0));
        assertThat(PbftService.Variant.of("pbft-transfer")).isEqualTo(new PbftService.Variant(4, false, 200));
        assertThat(PbftService.Variant.of("pbft-transfer20")).isEqualTo(new PbftService.Variant(4, false, 20));
        assertThatThrownBy(() -> PbftService.Variant.of("etcd")).hasMessageContaining("found etcd");
    }
}
