package io.pbft.simulator.minimize;

import io.pbft.simulator.OptionError;
import io.pbft.simulator.SimOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The options of a run taken apart: each thing that can be left out alone is one part. What is not named is at its default, so a
 * run without a part is a simpler one.
 */
final class Scenario {
    /** An option and its value; of the lists of {@code --byzantine} and {@code --parameters} one element each. */
    record Part(String option, String value) {}

    private static final List<String> OF_THE_OUTPUT = List.of("--json", "--report", "--trace", "--minimize");
    private static final List<String> SWITCHES = List.of("--json", "--minimize", "--codec");

    private final List<Part> parts;

    Scenario(List<Part> parts) {
        this.parts = List.copyOf(parts);
    }

    static Scenario of(SimOptions options) {
        List<Part> parts = new ArrayList<>();
        List<String> words = options.toArguments();
        for (int i = 0; i < words.size(); i++) {
            String option = words.get(i);
            String value = SWITCHES.contains(option) ? "" : words.get(++i);
            if (!OF_THE_OUTPUT.contains(option)) {
                addParts(option, value, parts);
            }
        }
        return new Scenario(parts);
    }

    private static void addParts(String option, String value, List<Part> parts) {
        if (option.startsWith("--byzantine")) {
            int equals = value.indexOf('=');
            // A comma before digits belongs to a list of replicas, one before a letter begins a behaviour.
            for (String behaviour : value.substring(equals + 1).split(",(?=[a-z])", -1)) {
                parts.add(new Part(option, value.substring(0, equals + 1) + behaviour));
            }
        } else if (option.equals("--parameters")) {
            for (String field : value.split(",", -1)) {
                parts.add(new Part(option, field));
            }
        } else {
            parts.add(new Part(option, value));
        }
    }

    List<Part> parts() {
        return parts;
    }

    Optional<String> value(String option) {
        return parts.stream()
                .filter(part -> part.option.equals(option))
                .map(Part::value)
                .findFirst();
    }

    /** With {@code option} at {@code value}, wherever it stood before; empty: without it. */
    Scenario with(String option, Optional<String> value) {
        List<Part> changed = new ArrayList<>(parts);
        changed.removeIf(part -> part.option.equals(option));
        value.ifPresent(text -> changed.add(new Part(option, text)));
        return new Scenario(changed);
    }

    Scenario with(int index, Part part) {
        List<Part> changed = new ArrayList<>(parts);
        changed.set(index, part);
        return new Scenario(changed);
    }

    /** In a cluster of another size, without what speaks of nodes that are not there. */
    Scenario resized(String option, int size) {
        Scenario sized = with(option, Optional.of(Integer.toString(size)));
        List<Part> sizes = sized.parts.stream().filter(Scenario::isSize).toList();
        List<Part> possible = new ArrayList<>(sizes);
        for (Part part : sized.parts) {
            if (!isSize(part) && isPossible(sizes, part)) {
                possible.add(part);
            }
        }
        return new Scenario(possible);
    }

    private static boolean isSize(Part part) {
        return part.option.equals("--replicas") || part.option.equals("--clients");
    }

    private static boolean isPossible(List<Part> sizes, Part part) {
        List<Part> alone = new ArrayList<>(sizes);
        alone.add(part);
        try {
            new Scenario(alone).options();
            return true;
        } catch (OptionError e) {
            return false;
        }
    }

    /** The words of the command line, the lists put together again. */
    SimOptions options() {
        List<String> words = new ArrayList<>();
        List<String> fields = new ArrayList<>();
        for (Part part : parts) {
            if (part.option.equals("--parameters")) {
                fields.add(part.value);
            } else {
                words.add(part.option);
                if (!SWITCHES.contains(part.option)) {
                    words.add(part.value);
                }
            }
        }
        if (!fields.isEmpty()) {
            words.add("--parameters");
            words.add(String.join(",", fields));
        }
        return SimOptions.parse(words);
    }
}
