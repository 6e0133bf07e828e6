package io.pbft.benchmarks.compare;

import java.util.Locale;

/**
 * One point of a comparison: a load that each system gets in each round.
 *
 * @param operation what the clients do
 * @param size bytes of a value
 * @param clients identities in the one client process
 * @param outstanding operations of all clients together that are under way at the same time
 * @param rate 0: a closed loop; otherwise operations that begin every second
 */
record Cell(Operation operation, int size, int clients, int outstanding, double rate) {
    /** What the clients do. */
    enum Operation {
        PUT,
        FAST_READ,
        ORDERED_READ
    }

    Cell {
        if (size < 0 || clients < 1 || outstanding < clients || rate < 0) {
            throw new IllegalArgumentException("size " + size + ", clients " + clients + ", outstanding " + outstanding
                    + ", rate " + rate + ": every client has at least one operation outstanding");
        }
    }

    /** One line for the process that makes the load. */
    String encode() {
        return String.format(Locale.ROOT, "%s %d %d %d %f", operation, size, clients, outstanding, rate);
    }

    static Cell decode(String line) {
        String[] words = line.split(" ", -1);
        return new Cell(
                Operation.valueOf(words[0]),
                Integer.parseInt(words[1]),
                Integer.parseInt(words[2]),
                Integer.parseInt(words[3]),
                Double.parseDouble(words[4]));
    }

    /** For a person. */
    String describe() {
        return operation.name().toLowerCase(Locale.ROOT).replace('_', ' ') + ", " + size + " B, "
                + (rate > 0 ? String.format(Locale.ROOT, "%.0f/s", rate) : outstanding + " outstanding")
                + (clients > 1 ? ", " + clients + " clients" : "");
    }
}
