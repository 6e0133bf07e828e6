package io.pbft.replica.server;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardOpenOption;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The system's files, through paths that count what is made, renamed and deleted, and let that happen so many times
 * only: then the process has died as far as the folder can tell. What is written into files that are open, and what
 * LMDB does, is not counted.
 */
final class CutFileSystem extends FileSystem {
    /** Instead of the step after the last one. */
    static final class Cut extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private final FileSystem real = FileSystems.getDefault();
    private final Provider provider = new Provider();
    private final int stepsMax;
    private int steps;
    private String done = "nothing";

    CutFileSystem(int stepsMax) {
        this.stepsMax = stepsMax;
    }

    /** A path of the system's, as one of this file system. */
    Path path(Path path) {
        return (Path) Proxy.newProxyInstance(
                Path.class.getClassLoader(), new Class<?>[] {Path.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getFileSystem")) {
                        return this;
                    }
                    try {
                        Object[] plain = arguments == null
                                ? new Object[0]
                                : Arrays.stream(arguments)
                                        .map(CutFileSystem::plainOf)
                                        .toArray();
                        Object result = method.invoke(path, plain);
                        // A name to compare with those of others, which are the system's.
                        boolean real = method.getName().equals("toRealPath");
                        return result instanceof Path found && !real ? path(found) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** The last step that was let through, and its number. */
    String done() {
        return steps + ": " + done;
    }

    private void step(String what, Path path) {
        if (steps == stepsMax) {
            throw new Cut();
        }
        steps++;
        done = what + " " + path;
    }

    private static Object plainOf(Object argument) {
        return argument instanceof Path path ? plain(path) : argument;
    }

    private static Path plain(Path path) {
        return path.getFileSystem() instanceof CutFileSystem ? Path.of(path.toString()) : path;
    }

    @Override
    public FileSystemProvider provider() {
        return provider;
    }

    @Override
    public void close() {}

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public String getSeparator() {
        return real.getSeparator();
    }

    @Override
    public Iterable<Path> getRootDirectories() {
        return List.of();
    }

    @Override
    public Iterable<FileStore> getFileStores() {
        return real.getFileStores();
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
        return real.supportedFileAttributeViews();
    }

    @Override
    public Path getPath(String first, String... more) {
        return path(real.getPath(first, more));
    }

    @Override
    public PathMatcher getPathMatcher(String pattern) {
        throw new UnsupportedOperationException(pattern);
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
        return real.getUserPrincipalLookupService();
    }

    @Override
    public WatchService newWatchService() {
        throw new UnsupportedOperationException();
    }

    private final class Provider extends FileSystemProvider {
        private void makes(Path path, Set<? extends OpenOption> options) {
            boolean mayMake =
                    options.contains(StandardOpenOption.CREATE) || options.contains(StandardOpenOption.CREATE_NEW);
            if (mayMake && !Files.exists(path)) {
                step("make", path);
            }
        }

        @Override
        public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
                throws IOException {
            makes(plain(path), options);
            return FileChannel.open(plain(path), options, attributes);
        }

        @Override
        public SeekableByteChannel newByteChannel(
                Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
            makes(plain(path), options);
            return Files.newByteChannel(plain(path), options, attributes);
        }

        @Override
        public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
            if (!Files.exists(plain(path))) {
                step("make", path);
            }
            Files.createDirectory(plain(path), attributes);
        }

        @Override
        public void delete(Path path) throws IOException {
            if (Files.exists(plain(path))) {
                step("delete", path);
            }
            Files.delete(plain(path));
        }

        @Override
        public void move(Path from, Path to, CopyOption... options) throws IOException {
            step("rename", from);
            Files.move(plain(from), plain(to), options);
        }

        @Override
        public void copy(Path from, Path to, CopyOption... options) throws IOException {
            step("copy", from);
            Files.copy(plain(from), plain(to), options);
        }

        @Override
        public DirectoryStream<Path> newDirectoryStream(Path path, DirectoryStream.Filter<? super Path> filter)
                throws IOException {
            List<Path> children = new ArrayList<>();
            try (DirectoryStream<Path> all = Files.newDirectoryStream(plain(path))) {
                for (Path child : all) {
                    if (filter.accept(path(child))) {
                        children.add(path(child));
                    }
                }
            }
            return new DirectoryStream<>() {
                @Override
                public Iterator<Path> iterator() {
                    return children.iterator();
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public boolean isSameFile(Path one, Path other) throws IOException {
            return Files.isSameFile(plain(one), plain(other));
        }

        @Override
        public boolean isHidden(Path path) throws IOException {
            return Files.isHidden(plain(path));
        }

        @Override
        public FileStore getFileStore(Path path) throws IOException {
            return Files.getFileStore(plain(path));
        }

        @Override
        public void checkAccess(Path path, AccessMode... modes) throws IOException {
            real.provider().checkAccess(plain(path), modes);
        }

        @Override
        public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
            return Files.getFileAttributeView(plain(path), type, options);
        }

        @Override
        public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
                throws IOException {
            return Files.readAttributes(plain(path), type, options);
        }

        @Override
        public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
                throws IOException {
            return Files.readAttributes(plain(path), attributes, options);
        }

        @Override
        public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
            Files.setAttribute(plain(path), attribute, value, options);
        }

        @Override
        public String getScheme() {
            return "cut";
        }

        @Override
        public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileSystem getFileSystem(URI uri) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Path getPath(URI uri) {
            throw new UnsupportedOperationException();
        }
    }
}
