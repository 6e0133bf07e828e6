package io.pbft.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.SignatureScheme;
import io.pbft.protocol.ClusterConfig.ClientInfo;
import io.pbft.protocol.ClusterConfig.ReplicaInfo;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * {@code cluster.json} to {@link ClusterConfig} and back. By hand and not by data binding, since every complaint has
 * to name the path, what was expected and what was found, and since nothing may be ignored: a misspelt field is an
 * error, and so is one that is there twice.
 */
final class ClusterConfigJson {
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final RecordComponent[] PARAMETERS = ProtocolParameters.class.getRecordComponents();

    /** Deeper than any configuration, far from the end of the stack. */
    private static final int DEPTH_MAX = 16;

    private final String file;
    private final SignatureScheme scheme;

    ClusterConfigJson(String file, SignatureScheme scheme) {
        this.file = file;
        this.scheme = scheme;
    }

    ClusterConfig parse(byte[] json) {
        JsonNode root = tree(json);
        fields("", root, "clusterId", "replicas", "clients", "parameters");
        Digest clusterId = clusterId(required("", root, "clusterId"));
        List<ReplicaInfo> replicas = new ArrayList<>();
        List<JsonNode> replicaNodes = list("replicas", required("", root, "replicas"), Limits.REPLICAS_MAX);
        for (int i = 0; i < replicaNodes.size(); i++) {
            replicas.add(replica("replicas[" + i + "]", replicaNodes.get(i)));
        }
        List<ClientInfo> clients = new ArrayList<>();
        List<JsonNode> clientNodes = list("clients", required("", root, "clients"), Limits.CLIENTS_MAX);
        for (int i = 0; i < clientNodes.size(); i++) {
            clients.add(client("clients[" + i + "]", clientNodes.get(i)));
        }
        JsonNode parameterNode = root.get("parameters");
        ProtocolParameters parameters =
                parameterNode == null ? ProtocolParameters.DEFAULT : parameters("parameters", parameterNode);
        ClusterConfigRules.check(file, replicas, clients, parameters);
        return new ClusterConfig(clusterId, replicas, clients, parameters);
    }

    // Text to a tree

    private JsonNode tree(byte[] json) {
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            if (parser.nextToken() == null) {
                throw new ConfigException(file, "", "expected a JSON object, found nothing");
            }
            JsonNode root = value(parser, "", 0);
            if (parser.nextToken() != null) {
                throw new ConfigException(file, "", "expected the end after the JSON object" + at(parser));
            }
            return root;
        } catch (JsonProcessingException e) {
            throw new ConfigException(
                    file,
                    "",
                    "expected JSON, found a mistake in line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + ": " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new ConfigException(file, "", "expected JSON in UTF-8: " + e.getMessage());
        }
    }

    private static String at(JsonParser parser) {
        return " (line " + parser.currentLocation().getLineNr() + ")";
    }

    private JsonNode value(JsonParser parser, String path, int depth) throws IOException {
        if (depth > DEPTH_MAX) {
            throw new ConfigException(file, path, "expected at most " + DEPTH_MAX + " levels of nesting");
        }
        JsonToken token = parser.currentToken();
        if (token == JsonToken.START_OBJECT) {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                String child = join(path, name);
                if (object.has(name)) {
                    throw new ConfigException(file, child, "expected once, found again" + at(parser));
                }
                parser.nextToken();
                object.set(name, value(parser, child, depth + 1));
            }
            return object;
        }
        if (token == JsonToken.START_ARRAY) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                array.add(value(parser, path + "[" + array.size() + "]", depth + 1));
            }
            return array;
        }
        return scalar(parser, token);
    }

    /** Numbers that are not ints are only ever shown, as they stand in the file. */
    private static JsonNode scalar(JsonParser parser, JsonToken token) throws IOException {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        return switch (token) {
            case VALUE_STRING -> nodes.textNode(parser.getText());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(parser.getText());
            case VALUE_TRUE -> nodes.booleanNode(true);
            case VALUE_FALSE -> nodes.booleanNode(false);
            default -> nodes.nullNode();
        };
    }

    private static JsonNode number(String text) {
        try {
            return JsonNodeFactory.instance.numberNode(Integer.parseInt(text));
        } catch (NumberFormatException e) {
            return JsonNodeFactory.instance.pojoNode(new Unfit(text));
        }
    }

    /** A number that is no int. */
    private record Unfit(String text) {
        @Override
        public String toString() {
            return text;
        }
    }

    // A tree to values

    private static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** That {@code node} is an object and has no other field than these. */
    private void fields(String path, JsonNode node, String... names) {
        if (!node.isObject()) {
            throw expected(path, "a JSON object", node);
        }
        node.fieldNames().forEachRemaining(name -> {
            if (!Arrays.asList(names).contains(name)) {
                throw new ConfigException(
                        file, join(path, name), "unknown field; expected one of " + String.join(", ", names));
            }
        });
    }

    private JsonNode required(String path, JsonNode node, String name) {
        JsonNode child = node.get(name);
        if (child == null) {
            throw new ConfigException(file, join(path, name), "expected, but it is missing");
        }
        return child;
    }

    private List<JsonNode> list(String path, JsonNode node, int max) {
        if (!node.isArray()) {
            throw expected(path, "a list", node);
        }
        if (node.size() > max) {
            throw new ConfigException(file, path, "expected at most " + max + " of them, found " + node.size());
        }
        List<JsonNode> elements = new ArrayList<>(node.size());
        node.forEach(elements::add);
        return elements;
    }

    private ReplicaInfo replica(String path, JsonNode node) {
        fields(path, node, "id", "host", "port", "publicKey");
        return new ReplicaInfo(
                integer(path, node, "id"),
                text(join(path, "host"), required(path, node, "host"), "a host name or an IP address"),
                integer(path, node, "port"),
                publicKey(path, node));
    }

    private ClientInfo client(String path, JsonNode node) {
        fields(path, node, "id", "publicKey");
        return new ClientInfo(integer(path, node, "id"), publicKey(path, node));
    }

    private int integer(String path, JsonNode node, String name) {
        JsonNode child = required(path, node, name);
        if (!child.isInt()) {
            throw expected(join(path, name), "a whole number from -2147483648 to 2147483647", child);
        }
        return child.intValue();
    }

    private String text(String path, JsonNode node, String expected) {
        if (!node.isTextual()) {
            throw expected(path, expected, node);
        }
        return node.textValue();
    }

    private Digest clusterId(JsonNode node) {
        String expected = "64 hexadecimal digits";
        String hex = text("clusterId", node, expected);
        try {
            return Digest.fromHex(hex);
        } catch (IllegalArgumentException e) {
            throw expected("clusterId", expected, node);
        }
    }

    private PublicKey publicKey(String path, JsonNode node) {
        String at = join(path, "publicKey");
        JsonNode child = required(path, node, "publicKey");
        String expected = "a public key of 64 hexadecimal digits";
        String hex = text(at, child, expected);
        Bytes encoded;
        try {
            encoded = Bytes.fromHex(hex);
        } catch (IllegalArgumentException e) {
            throw expected(at, expected, child);
        }
        if (encoded.size() != PublicKey.SIZE) {
            throw expected(at, expected, child);
        }
        try {
            return scheme.publicKey(encoded);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(file, at, "expected a public key that can be trusted: " + e.getMessage());
        }
    }

    private ProtocolParameters parameters(String path, JsonNode node) {
        String[] names = new String[PARAMETERS.length];
        Arrays.setAll(names, i -> PARAMETERS[i].getName());
        fields(path, node, names);
        Object[] values = new Object[PARAMETERS.length];
        Class<?>[] types = new Class<?>[PARAMETERS.length];
        for (int i = 0; i < names.length; i++) {
            values[i] = node.has(names[i]) ? integer(path, node, names[i]) : parameter(ProtocolParameters.DEFAULT, i);
            types[i] = int.class;
        }
        try {
            return ProtocolParameters.class.getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            // Its message begins with the field and a colon: see ProtocolParameters.
            String[] fieldAndProblem =
                    String.valueOf(e.getTargetException().getMessage()).split(": ", 2);
            throw new ConfigException(
                    file, join(path, fieldAndProblem[0]), fieldAndProblem[fieldAndProblem.length - 1]);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("parameters are ints, all of them", e);
        }
    }

    private static int parameter(ProtocolParameters parameters, int index) {
        try {
            return (int) PARAMETERS[index].getAccessor().invoke(parameters);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the accessors of a public record are public", e);
        }
    }

    private ConfigException expected(String path, String expected, JsonNode found) {
        return new ConfigException(file, path, "expected " + expected + ", found " + describe(found));
    }

    private static String describe(JsonNode node) {
        if (node.isObject()) {
            return "an object";
        }
        if (node.isArray()) {
            return "a list";
        }
        String text = node.isTextual() ? "\"" + node.textValue() + "\"" : node.asText();
        return text.length() <= 100 ? text : text.substring(0, 100) + "... (" + text.length() + " characters)";
    }

    // Values to text

    static String write(ClusterConfig config) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("clusterId", config.clusterId().toHex());
        ArrayNode replicas = root.putArray("replicas");
        for (ReplicaInfo replica : config.replicas()) {
            replicas.addObject()
                    .put("id", replica.id())
                    .put("host", replica.host())
                    .put("port", replica.port())
                    .put("publicKey", replica.publicKey().encoded().toHex());
        }
        ArrayNode clients = root.putArray("clients");
        for (ClientInfo client : config.clients()) {
            clients.addObject()
                    .put("id", client.id())
                    .put("publicKey", client.publicKey().encoded().toHex());
        }
        ObjectNode parameters = root.putObject("parameters");
        for (int i = 0; i < PARAMETERS.length; i++) {
            parameters.put(PARAMETERS[i].getName(), parameter(config.parameters(), i));
        }
        try {
            return MAPPER.writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of text and numbers can be written", e);
        }
    }
}
