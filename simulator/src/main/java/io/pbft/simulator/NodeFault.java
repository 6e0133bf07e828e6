package io.pbft.simulator;

/**
 * Something that is done to one replica at a time that the options give.
 *
 * @param untilMicros the end of a pause; equal to {@code atMicros} otherwise
 */
public record NodeFault(Kind kind, int replica, long atMicros, long untilMicros) {
    /** What is done. */
    public enum Kind {
        CRASH("--crash"),
        RESTART("--restart"),
        PAUSE("--pause"),
        /** The replica stops and comes back with an empty disk, told to rejoin. */
        LOSE_DISK("--lose-disk"),
        /** From then on the disk cannot be trusted: a byte is flipped in what is written next. */
        CORRUPT_DISK("--corrupt-disk");

        private final String option;

        Kind(String option) {
            this.option = option;
        }

        public String option() {
            return option;
        }
    }

    static NodeFault parse(Kind kind, String text, int replicas) {
        int at = text.indexOf('@');
        if (at < 0) {
            String form = kind == Kind.PAUSE ? "REPLICA@FROM..TO" : "REPLICA@TIME";
            throw new OptionError(kind.option, form + ", the time " + OptionText.TIME, text);
        }
        int replica = OptionText.number(kind.option, text.substring(0, at), 0, replicas - 1);
        String time = text.substring(at + 1);
        if (kind == Kind.PAUSE) {
            long[] interval = OptionText.interval(kind.option, time);
            return new NodeFault(kind, replica, interval[0], interval[1]);
        }
        long micros = OptionText.micros(kind.option, time);
        return new NodeFault(kind, replica, micros, micros);
    }

    @Override
    public String toString() {
        String time = kind == Kind.PAUSE ? OptionText.interval(atMicros, untilMicros) : OptionText.time(atMicros);
        return replica + "@" + time;
    }
}
