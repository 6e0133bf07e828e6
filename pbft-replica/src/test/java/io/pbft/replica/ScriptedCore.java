package io.pbft.replica;

import io.pbft.replica.core.Core;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Effects;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.ReplicaReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** A core that does what the test tells it, and remembers what it learned. */
public final class ScriptedCore implements Core {
    public final List<Input> inputs = new ArrayList<>();
    private final Function<Input, List<Effect>> script;

    ScriptedCore(Function<Input, List<Effect>> script) {
        this.script = script;
    }

    @Override
    public void step(Input input, Effects out) {
        inputs.add(input);
        script.apply(input).forEach(out::add);
    }

    @Override
    public ReplicaReport report() {
        return new ReplicaReport(
                0,
                ReplicaReport.Status.NORMAL,
                0,
                true,
                0,
                0,
                io.pbft.crypto.Digest.ZERO,
                inputs.size(),
                0,
                0,
                0,
                0,
                0,
                Map.of(),
                Optional.empty());
    }

    /** The inputs of one kind, in order. */
    public <T extends Input> List<T> learned(Class<T> kind) {
        return inputs.stream().filter(kind::isInstance).map(kind::cast).toList();
    }
}
