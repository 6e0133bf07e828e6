package io.pbft.simulator;

/** An option that cannot be used: the message names it, says what was expected and what was found. */
public final class OptionError extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String option;

    public OptionError(String option, String expected, String found) {
        super(option + ": expected " + expected + ", found '" + found + "'");
        this.option = option;
    }

    public OptionError(String option, String problem) {
        super(option + ": " + problem);
        this.option = option;
    }

    /** The option's name, with its dashes. */
    public String option() {
        return option;
    }
}
