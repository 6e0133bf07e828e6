package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of a journal: segments, which hold it, and spares, which are segments that are not needed any more and will
 * be used again. A spare has its blocks on the disk already, so that a synchronous write to it changes no metadata.
 */
final class SegmentFiles {
    /** Spares beyond these are deleted. */
    static final int SPARES_MAX = 2;

    private static final Pattern SEGMENT = Pattern.compile("segment-(\\d{12})");
    private static final Pattern SPARE = Pattern.compile("spare-\\d{12}");

    private SegmentFiles() {}

    static Path segment(Path folder, long number) {
        return folder.resolve("segment-%012d".formatted(number));
    }

    static boolean isSegment(Path file) {
        return SEGMENT.matcher(file.getFileName().toString()).matches();
    }

    /** By number; none where there is no folder. */
    static TreeMap<Long, Path> segments(Path folder) throws IOException {
        TreeMap<Long, Path> segments = new TreeMap<>();
        for (Path file : list(folder)) {
            Matcher name = SEGMENT.matcher(file.getFileName().toString());
            if (name.matches()) {
                segments.put(Long.parseLong(name.group(1)), file);
            }
        }
        return segments;
    }

    static List<Path> spares(Path folder) throws IOException {
        List<Path> spares = new ArrayList<>(list(folder));
        spares.removeIf(file -> !SPARE.matcher(file.getFileName().toString()).matches());
        return spares;
    }

    /** Of segments and spares. */
    static long bytes(Path folder) throws IOException {
        long bytes = 0;
        for (Path file : segments(folder).values()) {
            bytes += Files.size(file);
        }
        for (Path file : spares(folder)) {
            bytes += Files.size(file);
        }
        return bytes;
    }

    private static List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    /** Makes a segment that is not needed any more a spare, or deletes it. Becomes durable some time. */
    static void retire(Path folder, long number) throws IOException {
        Path file = segment(folder, number);
        boolean keep = Files.size(file) == JournalFormat.SEGMENT_BYTES
                && spares(folder).size() < SPARES_MAX;
        if (keep) {
            Files.move(file, folder.resolve("spare-%012d".formatted(number)), StandardCopyOption.REPLACE_EXISTING);
        } else {
            Files.delete(file);
        }
    }

    static void forceFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
