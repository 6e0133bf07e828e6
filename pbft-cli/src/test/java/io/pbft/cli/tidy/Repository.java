package io.pbft.cli.tidy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The checkout this test runs in: its text files, without what builds and tools leave behind. */
record Repository(Path root, Map<String, String> files) {
    private static final long TEXT_BYTES_MAX = 4 << 20;
    private static final List<String> NOT_SOURCES = List.of("target", ".git", ".idea", ".vscode", ".settings", ".pbft");

    static Repository open() {
        Path root = findRoot(Path.of("").toAbsolutePath());
        Map<String, String> files = new TreeMap<>();
        try {
            Files.walkFileTree(root, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                    Path name = directory.getFileName();
                    boolean skip = !directory.equals(root) && name != null && isLeftBehind(name.toString());
                    return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    if (attributes.isRegularFile() && attributes.size() <= TEXT_BYTES_MAX) {
                        byte[] bytes = Files.readAllBytes(file);
                        if (isText(bytes)) {
                            String path = root.relativize(file).toString().replace('\\', '/');
                            files.put(path, new String(bytes, StandardCharsets.UTF_8));
                        }
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Repository(root, files);
    }

    List<Source> sources() {
        return files.entrySet().stream()
                .filter(file -> file.getKey().endsWith(".java") && file.getKey().contains("/src/"))
                .map(file -> Source.of(file.getKey(), file.getValue()))
                .toList();
    }

    private static boolean isLeftBehind(String name) {
        return NOT_SOURCES.contains(name) || name.startsWith(".jazzer-") || name.startsWith(".cifuzz-");
    }

    private static boolean isText(byte[] bytes) {
        for (byte b : bytes) {
            if (b == 0) {
                return false;
            }
        }
        return true;
    }

    private static Path findRoot(Path start) {
        try {
            for (Path at = start; at != null; at = at.getParent()) {
                Path pom = at.resolve("pom.xml");
                if (Files.isRegularFile(pom) && Files.readString(pom).contains("<modules>")) {
                    return at;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException("no pom.xml with modules in or above " + start);
    }
}
