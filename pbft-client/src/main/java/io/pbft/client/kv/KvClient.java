package io.pbft.client.kv;

import io.pbft.client.PbftClient;
import io.pbft.client.PbftException;
import io.pbft.client.ReadMode;
import io.pbft.client.Receipt;
import io.pbft.client.Reply;
import io.pbft.client.WrongServiceException;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * The built-in key-value service, typed. Every method has a form that returns a future and one that waits; both fail as
 * {@link PbftClient} says, and with {@link WrongServiceException} where the cluster runs another service. Keys, values and
 * limits are those of {@link KvOperation}: what breaks them is refused at once with an {@link IllegalArgumentException}.
 * Thread-safe; closing it is closing the {@link PbftClient}, which is the caller's.
 */
public final class KvClient {
    private final PbftClient client;

    /** @param client whose cluster runs the key-value service; it may serve others at the same time */
    public KvClient(PbftClient client) {
        this.client = client;
    }

    /**
     * A value with where it comes from.
     *
     * @param seq the sequence number at which it was the answer, see {@link Reply#seq()}
     * @param timeMillis the agreed time of it
     * @param receipt the proof, for whatever was ordered
     */
    public record Answer<T>(T value, long seq, long timeMillis, Optional<Receipt> receipt) {}

    /** Sets {@code key} to {@code value}. */
    public CompletableFuture<Answer<KvResult.Done>> putAsync(Bytes key, Bytes value) {
        return submit(new KvOperation.Put(key, value), KvResult.Done.class, done -> done);
    }

    /** Sets {@code key} to {@code value}. */
    public void put(Bytes key, Bytes value) {
        call(new KvOperation.Put(key, value), KvResult.Done.class);
    }

    /** The value of {@code key}, or empty where there is none. */
    public CompletableFuture<Answer<Optional<Bytes>>> getAsync(Bytes key, ReadMode mode) {
        return read(new KvOperation.Get(key), mode, KvResult.Value.class, KvResult.Value::value);
    }

    /** A linearizable read by the fast way. */
    public Optional<Bytes> get(Bytes key) {
        return query(new KvOperation.Get(key), KvResult.Value.class).value();
    }

    /** Deletes {@code key}; whether there was something to delete. */
    public CompletableFuture<Answer<Boolean>> deleteAsync(Bytes key) {
        return submit(new KvOperation.Delete(key), KvResult.Deleted.class, KvResult.Deleted::existed);
    }

    /** Deletes {@code key}; whether there was something to delete. */
    public boolean delete(Bytes key) {
        return call(new KvOperation.Delete(key), KvResult.Deleted.class).existed();
    }

    /** Sets {@code key} to {@code value} if it has the value {@code expected}, and says whether: as {@link #compareAndSet}. */
    public CompletableFuture<Answer<Boolean>> compareAndSetAsync(Bytes key, Optional<Bytes> expected, Bytes value) {
        KvOperation operation = new KvOperation.CompareAndSet(key, expected, value);
        return submit(operation, KvResult.Swapped.class, KvResult.Swapped::done);
    }

    /**
     * Sets {@code key} to {@code value} if it has the value {@code expected}; empty: if there is no such key.
     *
     * @return whether that was so, and so it was done
     */
    public boolean compareAndSet(Bytes key, Optional<Bytes> expected, Bytes value) {
        return call(new KvOperation.CompareAndSet(key, expected, value), KvResult.Swapped.class)
                .done();
    }

    /** Adds {@code by} to the decimal number at {@code key}, and has the sum: as {@link #increment}. */
    public CompletableFuture<Answer<Long>> incrementAsync(Bytes key, long by) {
        return submit(new KvOperation.Increment(key, by), KvResult.Incremented.class, KvResult.Incremented::value);
    }

    /**
     * Adds {@code by} to the decimal number at {@code key}; a missing key counts as 0.
     *
     * @return the sum
     * @throws io.pbft.client.OperationFailedException when the value is no number, or the sum leaves the range of a long
     */
    public long increment(Bytes key, long by) {
        return call(new KvOperation.Increment(key, by), KvResult.Incremented.class)
                .value();
    }

    /**
     * The first entries whose keys begin with {@code prefix}, in ascending order of key.
     *
     * @param after only keys above this one: the last key of the page before
     * @param limit entries at most, 1 to {@link KvOperation#SCAN_ENTRIES_MAX}
     */
    public CompletableFuture<Answer<KvResult.Entries>> scanAsync(
            Bytes prefix, Optional<Bytes> after, int limit, ReadMode mode) {
        return read(new KvOperation.Scan(prefix, after, limit), mode, KvResult.Entries.class, entries -> entries);
    }

    /** A linearizable scan by the fast way, of one page. */
    public KvResult.Entries scan(Bytes prefix, Optional<Bytes> after, int limit) {
        return query(new KvOperation.Scan(prefix, after, limit), KvResult.Entries.class);
    }

    private <R extends KvResult, T> CompletableFuture<Answer<T>> submit(
            KvOperation operation, Class<R> kind, Function<R, T> value) {
        return client.submit(operation.encode()).thenApply(reply -> answer(reply, kind, value));
    }

    private <R extends KvResult, T> CompletableFuture<Answer<T>> read(
            KvOperation operation, ReadMode mode, Class<R> kind, Function<R, T> value) {
        return client.read(operation.encode(), mode).thenApply(reply -> answer(reply, kind, value));
    }

    private <R extends KvResult> R call(KvOperation operation, Class<R> kind) {
        return decode(client.call(operation.encode()), kind);
    }

    private <R extends KvResult> R query(KvOperation operation, Class<R> kind) {
        return decode(client.query(operation.encode(), ReadMode.FAST), kind);
    }

    private static <R extends KvResult, T> Answer<T> answer(Reply reply, Class<R> kind, Function<R, T> value) {
        return new Answer<>(value.apply(decode(reply, kind)), reply.seq(), reply.timeMillis(), reply.receipt());
    }

    /** The replicas agree on the result, so one that does not fit means that they run another service. */
    private static <R extends KvResult> R decode(Reply reply, Class<R> kind) {
        try {
            return kind.cast(KvResult.decode(reply.result()));
        } catch (MalformedMessage | ClassCastException e) {
            throw new WrongServiceException(
                    "the replicas do not run the key-value service: they answered with "
                            + reply.result().size() + " bytes that are not a result of kind "
                            + kind.getSimpleName(),
                    e);
        }
    }

    /**
     * Waits for a future of this client.
     *
     * @throws PbftException the future's
     */
    public static <T> Answer<T> await(CompletableFuture<Answer<T>> future) {
        return PbftClient.await(future);
    }
}
