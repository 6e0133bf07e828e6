package io.pbft.replica.core;

import java.util.ArrayList;
import java.util.List;

/** The effects of a step, in order. NOT thread-safe. */
public final class Effects {
    private final List<Effect> effects = new ArrayList<>();

    public void add(Effect effect) {
        effects.add(effect);
    }

    public boolean isEmpty() {
        return effects.isEmpty();
    }

    /** What was gathered since the last call. */
    public List<Effect> drain() {
        List<Effect> drained = List.copyOf(effects);
        effects.clear();
        return drained;
    }
}
