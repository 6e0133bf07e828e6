package io.pbft.examples.bank;

import io.pbft.client.PbftClient;
import io.pbft.client.ReadMode;
import io.pbft.client.Receipt;
import io.pbft.client.Reply;
import java.util.concurrent.CompletableFuture;

/** The bank as its customers' programs see it. What the ledger refuses comes as an {@code OperationFailedException}. */
public final class BankClient {
    private final PbftClient client;

    public BankClient(PbftClient client) {
        this.client = client;
    }

    /** What is left on the paying account, and the proof that the transfer was executed. */
    public record Transferred(long left, long atMillis, Receipt receipt) {}

    public void open(String account, long amount) {
        client.call(new BankOperation.Open(account, amount).encode());
    }

    public CompletableFuture<Transferred> transfer(String from, String to, long amount) {
        return client.submit(new BankOperation.Transfer(from, to, amount).encode())
                .thenApply(reply -> new Transferred(
                        amountOf(reply), reply.timeMillis(), reply.receipt().orElseThrow()));
    }

    public long balance(String account) {
        return amountOf(client.query(new BankOperation.Balance(account).encode(), ReadMode.FAST));
    }

    private static long amountOf(Reply reply) {
        return Long.parseLong(reply.result().toUtf8());
    }
}
