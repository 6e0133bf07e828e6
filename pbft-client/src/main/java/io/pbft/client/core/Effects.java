package io.pbft.client.core;

import java.util.ArrayList;
import java.util.List;

/** The effects of a step, in order. NOT thread-safe. */
public final class Effects {
    private final List<Effect> effects = new ArrayList<>();

    void add(Effect effect) {
        effects.add(effect);
    }

    /** What was gathered since the last call. */
    public List<Effect> drain() {
        List<Effect> drained = List.copyOf(effects);
        effects.clear();
        return drained;
    }
}
