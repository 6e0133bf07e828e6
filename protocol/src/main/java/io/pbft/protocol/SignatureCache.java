package io.pbft.protocol;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Which signatures have been found valid, the least recently used forgotten first. Certificates repeat votes that
 * arrived one by one, and batches repeat requests: most signatures of a VIEW-CHANGE have been seen before.
 *
 * <p>The key is all that validity depends on: signer, type, statement and the signature itself, compared whole. So
 * knowing one valid signature never makes another pass. Failures are not remembered: their number has no bound, and
 * an attacker would push the valid ones out.
 *
 * <p>Thread-safe: stripes by key, each under its own lock, since a read moves an entry too.
 */
final class SignatureCache {
    private static final int STRIPES = 16;

    /** Below this, one stripe: the order of use is then exact. */
    private static final int STRIPED_ENTRIES_MIN = 1_024;

    private final Stripe[] stripes;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();

    /** @param entriesMax 0: remembers nothing */
    SignatureCache(int entriesMax) {
        if (entriesMax < 0) {
            throw new IllegalArgumentException("a cache has at least 0 entries, not " + entriesMax);
        }
        stripes = new Stripe[entriesMax < STRIPED_ENTRIES_MIN ? 1 : STRIPES];
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = new Stripe(entriesMax / stripes.length);
        }
    }

    /** Whether {@link #add} has had the same, and it was not forgotten since. */
    boolean has(Key key) {
        boolean known = stripe(key).has(key);
        (known ? hits : misses).increment();
        return known;
    }

    void add(Key key) {
        stripe(key).add(key);
    }

    long hits() {
        return hits.sum();
    }

    long misses() {
        return misses.sum();
    }

    int size() {
        int size = 0;
        for (Stripe stripe : stripes) {
            size += stripe.size();
        }
        return size;
    }

    private Stripe stripe(Key key) {
        return stripes[(key.hash >>> 16) % stripes.length];
    }

    /**
     * One valid signature. The hash is of the signature's and the statement's bytes: nothing that differs between runs.
     */
    static final class Key {
        private final boolean replica;
        private final int index;
        private final byte type;
        private final Digest statement;
        private final Signature signature;
        private final int hash;

        Key(NodeId signer, MessageType type, Digest statement, Signature signature) {
            this.replica = signer.isReplica();
            this.index = signer.index();
            this.type = type.code();
            this.statement = statement;
            this.signature = signature;
            this.hash = 31 * (31 * statement.hashCode() + signature.hashCode()) + 31 * index + this.type;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key that
                    && hash == that.hash
                    && replica == that.replica
                    && index == that.index
                    && type == that.type
                    && statement.equals(that.statement)
                    && signature.equals(that.signature);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private static final class Stripe {
        private final int entriesMax;

        @GuardedBy("this")
        private final Map<Key, Boolean> entries = new LinkedHashMap<>(16, 0.75f, true);

        Stripe(int entriesMax) {
            this.entriesMax = entriesMax;
        }

        synchronized boolean has(Key key) {
            return entries.get(key) != null;
        }

        synchronized void add(Key key) {
            entries.put(key, Boolean.TRUE);
            if (entries.size() > entriesMax) {
                entries.remove(entries.keySet().iterator().next());
            }
        }

        synchronized int size() {
            return entries.size();
        }
    }
}
