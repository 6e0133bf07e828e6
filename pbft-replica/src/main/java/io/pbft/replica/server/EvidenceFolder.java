package io.pbft.replica.server;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Equivocation;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Signed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps proofs that a replica lied, a file each: {@code equivocation-replica-2-PREPARE-1f0c....pbft}. The same proof is kept
 * once, and of each replica so many at most: one is enough to convict, and who lies without end shall not fill the disk.
 *
 * <p>NOT thread-safe: the core's thread calls it.
 */
final class EvidenceFolder {
    static final int FILES_PER_REPLICA_MAX = 16;

    private static final Logger LOG = LoggerFactory.getLogger(EvidenceFolder.class);
    private static final String PREFIX = "equivocation-";
    private static final String SUFFIX = ".pbft";

    private final Path folder;
    private final Map<NodeId, Integer> kept = new HashMap<>();

    EvidenceFolder(Path folder) {
        this.folder = folder;
    }

    /** Keeps the proof. A disk that fails here costs the proof and nothing else: it is logged. */
    void keep(Signed<?> first, Signed<?> second) {
        if (!Equivocation.conflicts(first.statement(), second.statement())) {
            LOG.error(
                    "{} was accused of what is no conflict: {} and {}",
                    first.statement().signer(),
                    first,
                    second);
            return;
        }
        Equivocation proof = new Equivocation(first, second);
        NodeId accused = proof.accused();
        Bytes content = proof.encode();
        String name = PREFIX + accused + "-" + first.type() + "-"
                + Digest.of(content).toHex().substring(0, 16) + SUFFIX;
        try {
            Path file = ReplicaFolder.made(folder).resolve(name);
            if (Files.exists(file) || count(accused) >= FILES_PER_REPLICA_MAX) {
                return;
            }
            Path temporary = folder.resolve(name + ".new");
            Files.write(temporary, content.toByteArray());
            Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
            kept.merge(accused, 1, Integer::sum);
            LOG.warn(
                    "{} signed two conflicting {} messages; the proof is kept: pbft verify checks {}",
                    accused,
                    first.type(),
                    file);
        } catch (IOException | RuntimeException e) {
            LOG.error("the proof {} against {} could not be kept in {}", name, accused, folder, e);
        }
    }

    private int count(NodeId accused) throws IOException {
        Integer known = kept.get(accused);
        if (known != null) {
            return known;
        }
        try (Stream<Path> files = Files.list(folder)) {
            int found = (int) files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.startsWith(PREFIX + accused + "-") && name.endsWith(SUFFIX))
                    .count();
            kept.put(accused, found);
            return found;
        }
    }
}
