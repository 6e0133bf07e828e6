package io.pbft.examples.bank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.client.OperationFailedException;
import io.pbft.client.PbftClient;
import io.pbft.client.ReadMode;
import io.pbft.client.Receipt;
import io.pbft.client.kv.KvClient;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvResult;
import io.pbft.replica.kv.KvStateMachine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The example on a real cluster: four servers in this process, real connections, real signatures. */
@Timeout(180)
class BankTest {
    @TempDir
    private Path directory;

    @Test
    void moneyMovesAndIsNeitherMadeNorLost() throws Exception {
        try (LocalCluster cluster = new LocalCluster(directory, 1, BankLedger::new);
                PbftClient client = PbftClient.connect(cluster.client(0))) {
            BankClient bank = new BankClient(client);
            bank.open("alice", 600);
            bank.open("bob", 0);

            List<CompletableFuture<BankClient.Transferred>> transfers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                transfers.add(bank.transfer("alice", "bob", 5));
            }
            for (CompletableFuture<BankClient.Transferred> transfer : transfers) {
                Receipt receipt = PbftClient.await(transfer).receipt();
                assertThat(receipt.verify(cluster.client(0).cluster()).valid()).isTrue();
            }
            assertThat(bank.balance("alice")).isEqualTo(100);
            assertThat(bank.balance("bob")).isEqualTo(500);

            assertThatThrownBy(() -> PbftClient.await(bank.transfer("alice", "bob", 101)))
                    .isInstanceOf(OperationFailedException.class)
                    .hasMessage("alice has too little");
            assertThatThrownBy(() -> bank.open("bob", 7)).hasMessageContaining("already");
            assertThatThrownBy(() -> bank.balance("carol")).hasMessageContaining("no account carol");
            assertThatThrownBy(() -> client.call(Bytes.utf8("rob a bank"))).hasMessageContaining("not an operation");
            assertThat(bank.balance("alice")).isEqualTo(100);
        }
    }

    @Test
    void theAgreedDayLimitsWhatAnAccountPays() throws Exception {
        try (LocalCluster cluster = new LocalCluster(directory, 1, BankLedger::new);
                PbftClient client = PbftClient.connect(cluster.client(0))) {
            BankClient bank = new BankClient(client);
            bank.open("alice", 10_000);
            bank.open("bob", 0);
            assertThatThrownBy(() -> PbftClient.await(bank.transfer("alice", "bob", BankLedger.DAILY_LIMIT + 1)))
                    .hasMessageContaining("at most 1000 a day");
            BankClient.Transferred transferred =
                    PbftClient.await(bank.transfer("alice", "bob", BankLedger.DAILY_LIMIT));
            assertThat(transferred.left()).isEqualTo(9_000);
            assertThat(transferred.receipt().leaf().timeMillis()).isEqualTo(transferred.atMillis());
        }
    }

    @Test
    void theClientDoesNotNoticeThatTheFirstPrimaryStops() throws Exception {
        try (LocalCluster cluster = new LocalCluster(directory, 1, BankLedger::new);
                PbftClient client = PbftClient.connect(cluster.client(0))) {
            BankClient bank = new BankClient(client);
            bank.open("alice", 600);
            bank.open("bob", 0);

            cluster.server(0).close();

            assertThat(PbftClient.await(bank.transfer("alice", "bob", 5)).left())
                    .isEqualTo(595);
            assertThat(bank.balance("bob")).isEqualTo(5);
        }
    }

    @Test
    void theBuiltInKeyValueServiceHasItsOwnClient() throws Exception {
        try (LocalCluster cluster = new LocalCluster(directory, 2, KvStateMachine::new);
                PbftClient client = PbftClient.connect(cluster.client(0));
                PbftClient other = PbftClient.connect(cluster.client(1))) {
            KvClient kv = new KvClient(client);
            Bytes key = Bytes.utf8("key");
            kv.put(key, Bytes.utf8("1"));
            assertThat(new KvClient(other).increment(key, 41)).isEqualTo(42);
            assertThat(kv.get(key)).contains(Bytes.utf8("42"));
            assertThat(KvClient.await(kv.getAsync(key, ReadMode.ORDERED)).receipt())
                    .isPresent();
            assertThat(kv.compareAndSet(key, Optional.of(Bytes.utf8("41")), Bytes.utf8("x")))
                    .isFalse();
            assertThat(kv.compareAndSet(key, Optional.of(Bytes.utf8("42")), Bytes.utf8("x")))
                    .isTrue();
            assertThatThrownBy(() -> kv.increment(key, 1)).isInstanceOf(OperationFailedException.class);

            Bytes large = Bytes.wrap(new byte[100_000]);
            for (int i = 0; i < 8; i++) {
                kv.put(Bytes.utf8("large/" + i), large);
                assertThat(kv.get(Bytes.utf8("large/" + i))).contains(large);
                assertThat(KvClient.await(kv.getAsync(Bytes.utf8("large/" + i), ReadMode.ORDERED))
                                .value())
                        .contains(large);
            }
            cluster.server(2).close();
            for (int i = 0; i < 8; i++) {
                assertThat(KvClient.await(kv.getAsync(Bytes.utf8("large/" + i), ReadMode.ORDERED))
                                .value())
                        .contains(large);
            }
            KvResult.Entries page = kv.scan(Bytes.utf8("large/"), Optional.empty(), 10);
            assertThat(page.entries()).hasSize(2);
            assertThat(page.more()).isTrue();
            assertThat(kv.delete(key)).isTrue();
            assertThat(kv.get(key)).isEmpty();
            assertThatThrownBy(() -> kv.put(Bytes.EMPTY, large)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
