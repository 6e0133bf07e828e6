package io.pbft.simulator.transcript;

import io.pbft.protocol.MessageType;
import io.pbft.protocol.NodeId;
import io.pbft.simulator.SimOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Runs the commands of a transcript and writes below each what it caused. A line that begins with {@code >} is a command, one
 * with {@code #} a comment; everything else is output.
 *
 * <pre>
 *   cluster n=4 [clients=2] [byzantine=0] [FIELD=NUMBER of the parameters ...]
 *   request c=0 op=a [to=0,1]        the client's next number, to all replicas unless told otherwise
 *   propose by=0 seq=1 requests=c0#1,c1#1 to=1,2 [view=0]   of the Byzantine replica
 *   deliver 0->2 [TYPE]   deliver TYPE   deliver c0->1      what is under way and fits; * stands for every node
 *   drop    likewise
 *   stabilize                        delivers everything, and what follows from it
 *   tick MILLIS   crash I   restart I   state
 *   rejoin I                         crash, and start with an empty disk and the order to rejoin
 * </pre>
 */
final class Transcript {
    private static final List<String> OF_THE_CLUSTER = List.of("n", "clients", "byzantine");

    private final Map<Integer, Long> numbers = new TreeMap<>();
    private Optional<TranscriptCluster> cluster = Optional.empty();

    private Transcript() {}

    /** The transcript as it should be: the same commands and comments with what they cause now. */
    static List<String> run(List<String> lines) {
        Transcript transcript = new Transcript();
        List<String> out = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith(">")) {
                out.add(line);
                for (String caused : transcript.command(line.substring(1).strip())) {
                    out.add("  " + caused);
                }
            } else if (line.startsWith("#") || line.isBlank()) {
                out.add(line);
            }
        }
        return out;
    }

    private List<String> command(String line) {
        String[] words = line.split(" +");
        Map<String, String> named = new TreeMap<>();
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals > 0) {
                named.put(word.substring(0, equals), word.substring(equals + 1));
            }
        }
        try {
            if (words[0].equals("cluster")) {
                cluster = Optional.of(cluster(named));
            } else {
                obey(
                        cluster.orElseThrow(() -> new IllegalStateException("the first command is cluster")),
                        words,
                        named);
            }
        } catch (RuntimeException e) {
            throw new IllegalStateException("in the command '" + line + "': " + e.getMessage(), e);
        }
        return cluster.orElseThrow().drain();
    }

    private void obey(TranscriptCluster world, String[] words, Map<String, String> named) {
        switch (words[0]) {
            case "request" -> {
                int client = Integer.parseInt(named.getOrDefault("c", "0"));
                long number = numbers.merge(client, 1L, Long::sum);
                world.request(
                        client, number, named.getOrDefault("op", "a"), nodes(named.getOrDefault("to", "0,1,2,3")));
            }
            case "propose" ->
                world.propose(
                        Integer.parseInt(named.getOrDefault("by", "0")),
                        Long.parseLong(named.getOrDefault("view", "0")),
                        Long.parseLong(named.getOrDefault("seq", "1")),
                        List.of(named.getOrDefault("requests", "").split(",")),
                        nodes(named.getOrDefault("to", "")));
            case "deliver" -> world.deliver(letters(words));
            case "drop" -> world.drop(letters(words));
            case "stabilize" -> world.stabilize();
            case "tick" -> world.tick(Long.parseLong(words[1]));
            case "crash" -> world.crash(Integer.parseInt(words[1]));
            case "restart" -> world.restart(Integer.parseInt(words[1]));
            case "rejoin" -> world.rejoin(Integer.parseInt(words[1]));
            case "state" -> world.state();
            default -> throw new IllegalArgumentException("no such command");
        }
    }

    private static TranscriptCluster cluster(Map<String, String> named) {
        List<String> words = new ArrayList<>(List.of("--disk-latency", "0..0", "--clients"));
        words.add(named.getOrDefault("clients", "2"));
        words.addAll(List.of("--replicas", named.getOrDefault("n", "4")));
        List<String> parameters = new ArrayList<>();
        named.forEach((field, value) -> {
            if (!OF_THE_CLUSTER.contains(field)) {
                parameters.add(field + "=" + value);
            }
        });
        if (!parameters.isEmpty()) {
            words.addAll(List.of("--parameters", String.join(",", parameters)));
        }
        return new TranscriptCluster(SimOptions.parse(words), Integer.parseInt(named.getOrDefault("byzantine", "-1")));
    }

    private static List<Integer> nodes(String text) {
        return List.of(text.split(",")).stream().map(Integer::valueOf).toList();
    }

    private static Predicate<TranscriptCluster.Letter> letters(String[] words) {
        Predicate<TranscriptCluster.Letter> which = letter -> true;
        for (int i = 1; i < words.length; i++) {
            String word = words[i];
            int arrow = word.indexOf("->");
            if (arrow >= 0) {
                String from = word.substring(0, arrow);
                String to = word.substring(arrow + 2);
                which = which.and(letter -> isNode(letter.from(), from))
                        .and(letter -> to.equals("*") || letter.to() == Integer.parseInt(to));
            } else {
                MessageType type = MessageType.valueOf(word);
                which = which.and(letter -> letter.message().type() == type);
            }
        }
        return which;
    }

    private static boolean isNode(NodeId node, String text) {
        return text.equals("*") || text.equals((node.isReplica() ? "" : "c") + node.index());
    }
}
