package io.pbft.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.crypto.Bytes;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The documents of {@code --json}. */
final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static void print(PrintWriter out, ObjectNode document) {
        try {
            out.println(MAPPER.writeValueAsString(document));
            out.flush();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of plain values was not written", e);
        }
    }

    /** {@code bytes} as text under {@code name} where they are text, otherwise in hexadecimal under {@code nameHex}. */
    static void put(ObjectNode object, String name, Bytes bytes) {
        Optional<String> text = text(bytes);
        if (text.isPresent()) {
            object.put(name, text.get());
        } else {
            object.put(name + "Hex", bytes.toHex());
        }
    }

    /** The text whose UTF-8 encoding {@code bytes} are, if they are one. */
    static Optional<String> text(Bytes bytes) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** For a reader: quoted text, or hexadecimal where it is none. */
    static String show(Bytes bytes) {
        return text(bytes).map(text -> '"' + text + '"').orElse("0x" + bytes.toHex());
    }
}
