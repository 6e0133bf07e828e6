package io.pbft.replica.server;

import io.pbft.checkpoint.StorageFailure;
import io.pbft.checkpoint.StorageFailure.Part;
import io.pbft.protocol.Verifier;
import io.pbft.replica.Recovery;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Recovered;
import java.util.EnumSet;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what of a replica's folder it can start from.
 *
 * <p>A journal that is lost or damaged is amnesia: what the replica promised nobody else can tell, so it starts only
 * when told to rejoin, and what is left of the journal is put aside. A replica that never ran has nothing to lose: its
 * folder says so ({@link ReplicaFolder#markNew}), once. A damaged state is put aside without asking: the others have
 * it.
 *
 * <p>Used once, by one thread.
 */
final class DiskStart {
    private static final Logger LOG = LoggerFactory.getLogger(DiskStart.class);

    private final int id;
    private final ReplicaFolder folder;
    private final Storage storage;
    private final RejoinMark rejoinMark;
    private final EnumSet<Part> putAside = EnumSet.noneOf(Part.class);

    /** The disk, opened, and what it says. */
    record Start(Storage.Opened disk, Recovered recovered) {}

    DiskStart(int id, ReplicaFolder folder, Storage storage, RejoinMark rejoinMark) {
        this.id = id;
        this.folder = folder;
        this.storage = storage;
        this.rejoinMark = rejoinMark;
    }

    /**
     * @param rejoin whether it was told to rejoin
     * @param core where journal and state report what has become durable
     * @param failed told of a write that failed
     * @throws StorageFailure when it may not start, with what to do
     */
    Start start(Config config, Verifier verifier, boolean rejoin, Executor core, Consumer<Throwable> failed) {
        if (rejoin || rejoinMark.isSet()) {
            rejoinMark.set();
        }
        if (!storage.wasBegun(folder) && !folder.isNew() && !rejoinMark.isSet()) {
            throw StorageFailure.damaged(
                    Part.JOURNAL,
                    "there is no journal in " + folder.path() + ", and nothing says that replica " + id
                            + " never ran: it may have promised what it does not know any more. If its disk was lost,"
                            + " start it once with --rejoin. A new cluster is made with: pbft init");
        }
        if (folder.isStateDamaged()) {
            LOG.warn("replica {}: its state was found damaged; it is put aside and fetched from the others", id);
            storage.putAside(folder, Part.STATE);
            folder.setStateDamaged(false);
        }
        while (true) {
            try {
                return open(config, verifier, core, failed);
            } catch (StorageFailure damage) {
                repair(damage);
            }
        }
    }

    private Start open(Config config, Verifier verifier, Executor core, Consumer<Throwable> failed) {
        Storage.Opened disk = storage.open(folder, core, failed);
        try {
            Recovered recovered = Recovery.recover(
                    config,
                    disk.journal(),
                    disk.store(),
                    verifier,
                    folder.journal().toString(),
                    rejoinMark.isSet());
            folder.setStarted();
            return new Start(disk, recovered);
        } catch (RuntimeException e) {
            disk.close();
            throw e;
        }
    }

    private void repair(StorageFailure damage) {
        if (damage.isDamageOf(Part.STATE) && putAside.add(Part.STATE)) {
            LOG.warn(
                    "replica {}: {}. It is put aside, and fetched from the others",
                    id,
                    String.valueOf(damage.getMessage()));
            storage.putAside(folder, Part.STATE);
        } else if (damage.isDamageOf(Part.JOURNAL)
                && (rejoinMark.isSet() || folder.isNew())
                && putAside.add(Part.JOURNAL)) {
            LOG.warn(
                    "replica {}: {}. It is put aside, as the replica {}",
                    id,
                    String.valueOf(damage.getMessage()),
                    rejoinMark.isSet() ? "rejoins" : "never came so far as to promise anything");
            boolean rejoins = rejoinMark.isSet();
            storage.putAside(folder, Part.JOURNAL);
            if (rejoins) {
                rejoinMark.set();
            }
        } else {
            throw damage;
        }
    }
}
