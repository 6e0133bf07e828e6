package io.pbft.simulator.workload;

import io.pbft.simulator.linear.Model;
import java.util.Optional;

/** One key of the application as a sequential specification. Its state is the key's value. */
public final class KeyModel implements Model<Optional<String>, Call, KeyModel.Answer> {
    /** What a client was told: the text, and whether the operation was refused. */
    public record Answer(boolean failed, String text) {}

    @Override
    public Optional<String> initial() {
        return Optional.empty();
    }

    @Override
    public Optional<Optional<String>> apply(Optional<String> state, Call call, Optional<Answer> output) {
        Semantics.Effect effect;
        Answer answer;
        try {
            effect = Semantics.apply(call, state);
            answer = new Answer(false, effect.answer());
        } catch (IllegalArgumentException e) {
            effect = new Semantics.Effect(state, "");
            answer = new Answer(true, String.valueOf(e.getMessage()));
        }
        return output.isEmpty() || output.get().equals(answer) ? Optional.of(effect.value()) : Optional.empty();
    }
}
