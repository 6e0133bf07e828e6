package io.pbft.simulator;

/**
 * Something that is done to one replica at a time that the options give.
 *
 * @param untilMicros the end of what lasts; equal to {@code atMicros} otherwise
 */
public record NodeFault(Kind kind, int replica, long atMicros, long untilMicros) {
    /** What is done. */
    public enum Kind {
        CRASH("--crash", false),
        RESTART("--restart", false),
        PAUSE("--pause", true),
        /** The replica stops and comes back with an empty disk, told to rejoin. */
        LOSE_DISK("--lose-disk", false),
        /** From then on the disk cannot be trusted: a byte is flipped in what is written next. */
        CORRUPT_DISK("--corrupt-disk", false),
        /** From then on the disk cannot be trusted: now and then a write lands where something else was. */
        MISDIRECT_DISK("--misdirect-disk", false),
        /** Writes and synchronizations report errors: the replica halts, and starts again when that is over. */
        FAIL_DISK("--fail-disk", true),
        /** Writes take ten to a hundred times as long. */
        SLOW_DISK("--slow-disk", true);

        private final String option;
        private final boolean lasts;

        Kind(String option, boolean lasts) {
            this.option = option;
            this.lasts = lasts;
        }

        /** Whether it has an end of its own. */
        public boolean lasts() {
            return lasts;
        }

        public String option() {
            return option;
        }
    }

    static NodeFault parse(Kind kind, String text, int replicas) {
        int at = text.indexOf('@');
        if (at < 0) {
            String form = kind.lasts ? "REPLICA@FROM..TO" : "REPLICA@TIME";
            throw new OptionError(kind.option, form + ", the time " + OptionText.TIME, text);
        }
        int replica = OptionText.number(kind.option, text.substring(0, at), 0, replicas - 1);
        String time = text.substring(at + 1);
        if (kind.lasts) {
            long[] interval = OptionText.interval(kind.option, time);
            return new NodeFault(kind, replica, interval[0], interval[1]);
        }
        long micros = OptionText.micros(kind.option, time);
        return new NodeFault(kind, replica, micros, micros);
    }

    @Override
    public String toString() {
        String time = kind.lasts ? OptionText.interval(atMicros, untilMicros) : OptionText.time(atMicros);
        return replica + "@" + time;
    }
}
