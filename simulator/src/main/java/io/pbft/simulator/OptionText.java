package io.pbft.simulator;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** Reads and writes the small languages of the option values: times, ranges, sets of nodes. */
final class OptionText {
    static final String TIME = "a time such as 250, 1.5ms, 300us or 2s (milliseconds without a unit)";
    private static final long MICROS_MAX = 3_600_000_000L;

    private OptionText() {}

    /** Virtual microseconds of a time of at most an hour. */
    static long micros(String option, String text) {
        String number = text;
        long unit = 1_000;
        if (text.endsWith("us")) {
            number = text.substring(0, text.length() - 2);
            unit = 1;
        } else if (text.endsWith("ms")) {
            number = text.substring(0, text.length() - 2);
        } else if (text.endsWith("s")) {
            number = text.substring(0, text.length() - 1);
            unit = 1_000_000;
        }
        if (!number.matches("[0-9]{1,10}(\\.[0-9]{1,6})?")) {
            throw new OptionError(option, TIME, text);
        }
        long micros = new BigDecimal(number).multiply(BigDecimal.valueOf(unit)).longValue();
        if (micros > MICROS_MAX) {
            throw new OptionError(option, "a time of at most an hour", text);
        }
        return micros;
    }

    static String time(long micros) {
        return micros % 1_000 == 0 ? micros / 1_000 + "ms" : micros + "us";
    }

    /** {@code FROM..TO} of times, the first not after the second. */
    static long[] interval(String option, String text) {
        int dots = text.indexOf("..");
        if (dots < 0) {
            throw new OptionError(option, "FROM..TO, each " + TIME, text);
        }
        long from = micros(option, text.substring(0, dots));
        long to = micros(option, text.substring(dots + 2));
        if (to < from) {
            throw new OptionError(option, "FROM..TO with FROM not after TO", text);
        }
        return new long[] {from, to};
    }

    static String interval(long from, long to) {
        return time(from) + ".." + time(to);
    }

    static int number(String option, String text, int min, int max) {
        if (text.matches("[0-9]{1,9}")) {
            int value = Integer.parseInt(text);
            if (value >= min && value <= max) {
                return value;
            }
        }
        throw new OptionError(option, "a whole number from " + min + " to " + max, text);
    }

    static long seed(String option, String text) {
        if (!text.matches("[0-9]{1,18}")) {
            throw new OptionError(option, "a whole number of at most 18 digits", text);
        }
        return Long.parseLong(text);
    }

    static double probability(String option, String text) {
        if (text.matches("[0-9]{1,3}(\\.[0-9]{1,12})?")) {
            double value = Double.parseDouble(text);
            if (value <= 1) {
                return value;
            }
        }
        throw new OptionError(option, "a probability from 0 to 1", text);
    }

    static String probability(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }

    /** {@code {0,1}|{2,3}}: disjoint sets of replicas. */
    static List<SortedSet<Integer>> groups(String option, String text, int replicas) {
        String expected = "groups of replicas such as {0,1}|{2,3}";
        List<SortedSet<Integer>> groups = new ArrayList<>();
        SortedSet<Integer> seen = new TreeSet<>();
        for (String group : text.split("\\|", -1)) {
            if (!group.startsWith("{") || !group.endsWith("}")) {
                throw new OptionError(option, expected, text);
            }
            SortedSet<Integer> members = new TreeSet<>();
            for (String member : group.substring(1, group.length() - 1).split(",", -1)) {
                int index = number(option, member, 0, replicas - 1);
                if (!seen.add(index)) {
                    throw new OptionError(option, "each replica in one group only", text);
                }
                members.add(index);
            }
            groups.add(members);
        }
        if (groups.size() < 2) {
            throw new OptionError(option, expected + ", two at least", text);
        }
        return groups;
    }

    static String groups(List<SortedSet<Integer>> groups) {
        StringBuilder text = new StringBuilder();
        for (SortedSet<Integer> group : groups) {
            text.append(text.length() == 0 ? "{" : "|{");
            String separator = "";
            for (int member : group) {
                text.append(separator).append(member);
                separator = ",";
            }
            text.append('}');
        }
        return text.toString();
    }
}
