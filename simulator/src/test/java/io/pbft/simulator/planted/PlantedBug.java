package io.pbft.simulator.planted;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A mistake that one could make, put into the product on purpose to see the simulator find it. It is a change of the
 * product's source text: the product itself knows nothing of it.
 *
 * @param name one word that names it
 * @param rule the rule that is taken out, in words
 * @param aim what the command line of a run must match for the bug to matter much in it; empty: anything
 * @param changes the changed places, by the name of the class they are in
 */
record PlantedBug(String name, String rule, String aim, Map<String, List<Change>> changes) {
    /** Text of the product and what stands there instead. How the text is laid out makes no difference. */
    record Change(String before, String after) {
        private static final Pattern TOKEN = Pattern.compile("\"(?:\\\\.|[^\"\\\\])*\"|\\w+|\\S");

        String apply(String className, String source) {
            StringBuilder pattern = new StringBuilder();
            Matcher tokens = TOKEN.matcher(before);
            while (tokens.find()) {
                pattern.append(pattern.isEmpty() ? "" : "\\s*").append(Pattern.quote(tokens.group()));
            }
            Matcher place = Pattern.compile(pattern.toString()).matcher(source);
            int found = 0;
            while (place.find()) {
                found++;
            }
            if (found != 1) {
                throw new IllegalStateException(
                        className + " has this text " + found + " times instead of once: " + before);
            }
            return place.replaceFirst(Matcher.quoteReplacement(after));
        }
    }

    /** The catalogue, in the order of its file. */
    static List<PlantedBug> all() {
        return Catalogue.read(Path.of("src", "test", "resources", "planted-bugs.txt"));
    }

    static PlantedBug named(String name) {
        return all().stream()
                .filter(bug -> bug.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no planted bug has the name " + name));
    }

    /** The changed sources, by class name. Fails where the product's text is not what the catalogue says. */
    Map<String, String> sources() {
        Map<String, String> sources = new LinkedHashMap<>();
        changes.forEach((className, here) -> {
            String source = sourceOf(className);
            for (Change change : here) {
                source = change.apply(className, source);
            }
            sources.put(className, source);
        });
        return sources;
    }

    private static String sourceOf(String className) {
        String file = className.replace('.', '/') + ".java";
        for (String module : List.of("crypto", "protocol", "checkpoint", "pbft-replica", "pbft-client")) {
            Path path = Path.of("..", module, "src", "main", "java").resolve(file);
            if (Files.exists(path)) {
                return read(path);
            }
        }
        throw new IllegalStateException("no module has the class " + className);
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads the catalogue: {@code = NAME}, a line with the rule, {@code ~ AIM} where there is one, {@code @ CLASS} for each
     * class that changes, and below it lines that begin with {@code -} for the text as it is and with {@code +} for what takes
     * its place.
     */
    private static final class Catalogue {
        private final List<PlantedBug> bugs = new ArrayList<>();
        private Optional<String> name = Optional.empty();
        private String rule = "";
        private String aim = "";
        private Map<String, List<Change>> changes = new LinkedHashMap<>();
        private String className = "";
        private final List<String> before = new ArrayList<>();
        private final List<String> after = new ArrayList<>();

        static List<PlantedBug> read(Path file) {
            Catalogue catalogue = new Catalogue();
            PlantedBug.read(file).lines().forEach(catalogue::take);
            catalogue.endBug();
            return catalogue.bugs;
        }

        private void take(String line) {
            String rest = line.length() > 1 ? line.substring(2) : "";
            switch (line.isEmpty() ? '#' : line.charAt(0)) {
                case '#' -> {}
                case '=' -> {
                    endBug();
                    name = Optional.of(rest);
                }
                case '@' -> {
                    endChange();
                    className = rest;
                }
                case '-' -> {
                    if (!after.isEmpty()) {
                        endChange();
                    }
                    before.add(rest);
                }
                case '+' -> after.add(rest);
                case '~' -> aim = rest;
                default -> rule = rule.isEmpty() ? line : rule + " " + line;
            }
        }

        private void endChange() {
            if (!before.isEmpty()) {
                changes.computeIfAbsent(className, c -> new ArrayList<>())
                        .add(new Change(String.join("\n", before), String.join("\n", after)));
            }
            before.clear();
            after.clear();
        }

        private void endBug() {
            endChange();
            name.ifPresent(known -> bugs.add(new PlantedBug(known, rule, aim, changes)));
            name = Optional.empty();
            rule = "";
            aim = "";
            changes = new LinkedHashMap<>();
        }
    }
}
