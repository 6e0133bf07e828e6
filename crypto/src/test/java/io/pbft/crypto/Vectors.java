package io.pbft.crypto;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/** Reads files of test vectors: a vector a line, its fields apart by a blank, comments after #. */
final class Vectors {
    private Vectors() {}

    static List<String[]> read(String name) {
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(Vectors.class.getResourceAsStream(name), StandardCharsets.US_ASCII))) {
            return lines.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(" "))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] hex(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    static Signature signature(byte[] bytes) {
        return Signature.copyOf(bytes, 0, bytes.length);
    }
}
