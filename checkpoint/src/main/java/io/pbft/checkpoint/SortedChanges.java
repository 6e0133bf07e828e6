package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Changes of entries, given in any order and handed back in ascending order of place: an external merge sort. In that order a
 * B+ tree takes each of its pages up once; in the order of hashes, in which the state tree is walked, once for nearly each
 * entry.
 *
 * <p>What exceeds {@link #MEMORY_BYTES} is sorted piece by piece into a file, which is gone after {@link #close}; where the
 * system can do that, its name is gone as soon as it is open, and a crash leaves nothing. Records in it carry a CRC-32C. NOT
 * thread-safe.
 */
final class SortedChanges implements AutoCloseable {
    /** A piece in memory: so many bytes of places and records, with what it takes to hold them. */
    static final int MEMORY_BYTES = 16 << 20;

    private static final int BYTES_PER_CHANGE = 200;

    private static final int READ_BYTES = 64 << 10;
    private static final int DELETED = -1;

    /** Takes a change. */
    interface Sink {
        /** @param record null: the entry is deleted */
        void take(Bytes place, @Nullable Bytes record);
    }

    private final Path file;
    private final int memoryBytes;
    private TreeMap<Bytes, Optional<Bytes>> piece = new TreeMap<>();
    private long pieceBytes;

    /** Null while everything fits into memory. */
    @Nullable
    FileChannel channel;

    /** Where each piece ends in the file. */
    private final List<Long> ends = new ArrayList<>();

    /** @param file where pieces go if there are several */
    SortedChanges(Path file) {
        this(file, MEMORY_BYTES);
    }

    SortedChanges(Path file, int memoryBytes) {
        this.file = file;
        this.memoryBytes = memoryBytes;
    }

    /** Each place is given once. */
    void put(Bytes place, Bytes record) {
        add(place, Optional.of(record));
    }

    void delete(Bytes place) {
        add(place, Optional.empty());
    }

    private void add(Bytes place, Optional<Bytes> record) {
        piece.put(place, record);
        pieceBytes += BYTES_PER_CHANGE + place.size() + record.map(Bytes::size).orElse(0);
        if (pieceBytes >= memoryBytes) {
            spill();
        }
    }

    private void spill() {
        try {
            FileChannel out = channel;
            if (out == null) {
                out = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.DELETE_ON_CLOSE);
                channel = out;
            }
            DataOutputStream data = new DataOutputStream(new BufferedOutputStream(new Unclosed(out), READ_BYTES));
            for (Map.Entry<Bytes, Optional<Bytes>> change : piece.entrySet()) {
                write(data, change.getKey(), change.getValue().orElse(null));
            }
            data.flush();
            ends.add(out.position());
        } catch (IOException e) {
            throw failure("cannot be written", e);
        }
        piece = new TreeMap<>();
        pieceBytes = 0;
    }

    private static void write(DataOutputStream out, Bytes place, @Nullable Bytes record) throws IOException {
        out.writeInt(checksum(place, record));
        out.writeShort(place.size());
        out.write(place.toByteArray());
        out.writeInt(record == null ? DELETED : record.size());
        if (record != null) {
            out.write(record.toByteArray());
        }
    }

    private static int checksum(Bytes place, @Nullable Bytes record) {
        CRC32C crc = new CRC32C();
        crc.update(place.asReadOnlyBuffer());
        crc.update(record == null ? 0 : 1);
        if (record != null) {
            crc.update(record.asReadOnlyBuffer());
        }
        return (int) crc.getValue();
    }

    /** Hands over all changes, in ascending order of place, once. */
    void forEach(Sink sink) {
        if (channel == null) {
            piece.forEach((place, record) -> sink.take(place, record.orElse(null)));
            return;
        }
        spill();
        PriorityQueue<Piece> pieces = new PriorityQueue<>();
        long from = 0;
        for (long end : ends) {
            Piece next = new Piece(channel, from, end);
            if (next.advance()) {
                pieces.add(next);
            }
            from = end;
        }
        while (!pieces.isEmpty()) {
            Piece least = pieces.remove();
            sink.take(least.place, least.record);
            if (least.advance()) {
                pieces.add(least);
            }
        }
    }

    @Override
    public void close() {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                throw failure("cannot be closed", e);
            }
        }
    }

    private StorageFailure failure(String problem, IOException cause) {
        return new StorageFailure(
                "the file " + file.toAbsolutePath() + " of a state transfer " + problem + " (" + cause
                        + "); check free space, permissions and health of the disk, then start again. "
                        + "What was reported durable before is not affected",
                cause);
    }

    /** The changes between two places of the file: the first of those that are left. */
    private final class Piece implements Comparable<Piece> {
        private final DataInputStream in;
        private Bytes place = Bytes.EMPTY;
        private @Nullable Bytes record;

        Piece(FileChannel channel, long from, long to) {
            this.in = new DataInputStream(new Section(channel, from, to));
        }

        boolean advance() {
            try {
                int first = in.read();
                if (first < 0) {
                    return false;
                }
                int checksum = first << 24 | in.readUnsignedByte() << 16 | in.readUnsignedShort();
                place = read(in.readUnsignedShort());
                int size = in.readInt();
                record = size == DELETED ? null : read(size);
                if (checksum != checksum(place, record)) {
                    throw new IOException("a checksum is wrong");
                }
                return true;
            } catch (IOException e) {
                throw failure("cannot be read", e);
            }
        }

        private Bytes read(int size) throws IOException {
            if (size < 0 || size > StateTree.VALUE_BYTES_MAX * 2) {
                throw new IOException("a size is wrong");
            }
            byte[] bytes = new byte[size];
            in.readFully(bytes);
            return Bytes.wrap(bytes);
        }

        @Override
        public int compareTo(Piece other) {
            return place.compareTo(other.place);
        }
    }

    /** Part of a file, read without moving the channel's position, which the pieces share. */
    private static final class Section extends InputStream {
        private final FileChannel channel;
        private final long end;
        private final ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES).limit(0);
        private long position;

        Section(FileChannel channel, long from, long to) {
            this.channel = channel;
            this.position = from;
            this.end = to;
        }

        private boolean fill() throws IOException {
            if (buffer.hasRemaining()) {
                return true;
            }
            if (position >= end) {
                return false;
            }
            buffer.clear().limit((int) Math.min(READ_BYTES, end - position));
            int read = channel.read(buffer, position);
            if (read <= 0) {
                throw new IOException("the file ends early");
            }
            position += read;
            buffer.flip();
            return true;
        }

        @Override
        public int read() throws IOException {
            return fill() ? Byte.toUnsignedInt(buffer.get()) : -1;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (!fill()) {
                return -1;
            }
            int size = Math.min(length, buffer.remaining());
            buffer.get(target, offset, size);
            return size;
        }
    }

    /** The channel stays open: its pieces are read from it. */
    private static final class Unclosed extends OutputStream {
        private final OutputStream out;

        Unclosed(FileChannel channel) {
            this.out = Channels.newOutputStream(channel);
        }

        @Override
        public void write(int octet) throws IOException {
            out.write(octet);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
        }
    }
}
