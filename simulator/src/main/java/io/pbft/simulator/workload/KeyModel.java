package io.pbft.simulator.workload;

import io.pbft.simulator.linear.Model;
import java.util.Optional;

/** One key of the application as a sequential specification. Its state is the key's value. */
public final class KeyModel implements Model<Optional<String>, Call, KeyModel.Answer> {
    /** What a client was told: the text, and whether the operation was refused. */
    public record Answer(boolean failed, String text) {}

    /** The value afterwards, and the answer. */
    public record Outcome(Optional<String> value, Answer answer) {}

    /** Runs {@code call} on a key that has {@code value}. */
    public static Outcome run(Call call, Optional<String> value) {
        try {
            Semantics.Effect effect = Semantics.apply(call, value);
            return new Outcome(effect.value(), new Answer(false, effect.answer()));
        } catch (IllegalArgumentException e) {
            return new Outcome(value, new Answer(true, String.valueOf(e.getMessage())));
        }
    }

    @Override
    public Optional<String> initial() {
        return Optional.empty();
    }

    @Override
    public Optional<Optional<String>> apply(Optional<String> state, Call call, Optional<Answer> output) {
        Outcome outcome = run(call, state);
        boolean possible = output.isEmpty() || output.get().equals(outcome.answer());
        return possible ? Optional.of(outcome.value()) : Optional.empty();
    }
}
