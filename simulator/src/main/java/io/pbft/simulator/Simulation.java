package io.pbft.simulator;

/** placeholder */
public final class Simulation {
    static final long GST_DEFAULT_MICROS = 2_000_000;

    private Simulation() {}
}
