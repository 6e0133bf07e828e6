package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.simulator.BehaviourSpec;
import io.pbft.simulator.SimOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(args);
    }

    @Test
    void helpGoesToStandardOutput() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).startsWith("Usage: pbft");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void versionNamesTheProgram() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).startsWith("pbft ");
    }

    @Test
    void wrongUsageExitsWithTwoAndSaysWhyOnStandardError() {
        assertThat(run("no-such-command")).isEqualTo(2);
        assertThat(err.toString()).contains("no-such-command");
        assertThat(run()).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void everyCommandHasHelp() {
        List<String> helped = new ArrayList<>();
        for (CommandLine command : Main.commandLine().getSubcommands().values()) {
            assertThat(run(command.getCommandName(), "--help"))
                    .as(command.getCommandName())
                    .isZero();
            helped.add(command.getCommandName());
        }
        assertThat(helped).isNotEmpty();
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void theHelpOfTheSimulatorNamesEveryOptionAndBehaviour() {
        assertThat(run("sim", "--help")).isZero();
        assertThat(out.toString())
                .contains(SimOptions.names())
                .contains(BehaviourSpec.REPLICA)
                .contains(BehaviourSpec.CLIENT);
    }

    @Test
    void warmUpPrintsNothing() {
        assertThat(run("warm-up", "--help-only")).isZero();
        assertThat(out.toString() + err).isEmpty();
    }
}
