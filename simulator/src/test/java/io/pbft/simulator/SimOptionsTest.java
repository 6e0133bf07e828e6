package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.simulator.world.Cut;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SimOptionsTest {
    @Test
    void readsEveryOption() {
        SimOptions options = SimOptions.parse(List.of(("--seed 7 --replicas 7 --clients 2 --ops 10 --workload counter "
                        + "--byzantine 1=equivocate,delay:200@1s..2s --byzantine 2=selective=3,4,censor=1 "
                        + "--byzantine-client 1=replay --latency 1ms..20 "
                        + "--drop 0.1 --drop-type commit=0.7 --duplicate 0.2 --reorder 0.3 "
                        + "--partition 100..200:{0,1}|{2,3} "
                        + "--cut 5..6:0>3 --crash 3@10 --restart 3@20 --pause 4@1s..2s --lose-disk 5@30 "
                        + "--corrupt-disk 6@40 --clock-skew 0=-50 --gst 3s --topology wan5 --crypto real "
                        + "--json --report r.html --trace t.jsonl --minimize")
                .split(" ")));

        assertThat(options.seed()).isEqualTo(7);
        assertThat(options.workload()).isEqualTo(Workload.COUNTER);
        assertThat(options.byzantine().get(1))
                .containsExactly(
                        new BehaviourSpec("equivocate", "", 0, Long.MAX_VALUE),
                        new BehaviourSpec("delay", "200", 1_000_000, 2_000_000));
        assertThat(options.byzantine().get(2))
                .containsExactly(
                        new BehaviourSpec("selective", "3,4", 0, Long.MAX_VALUE),
                        new BehaviourSpec("censor", "1", 0, Long.MAX_VALUE));
        assertThat(options.net().latencyMinMicros()).isEqualTo(1_000);
        assertThat(options.net().latencyMaxMicros()).isEqualTo(20_000);
        assertThat(options.net().partitions().get(0).groups()).hasToString("[[0, 1], [2, 3]]");
        assertThat(options.net().cuts()).containsExactly(new Cut(5_000, 6_000, 0, 3));
        assertThat(options.net().gstMicros()).isEqualTo(3_000_000);
        assertThat(options.faults()).contains(new NodeFault(NodeFault.Kind.PAUSE, 4, 1_000_000, 2_000_000));
        assertThat(options.clocks().skewMillis()).containsEntry(0, -50);
        assertThat(options.realCrypto()).isTrue();
        assertThat(options.faulty()).containsExactly(1, 2, 5, 6);
        assertThat(options.output().json()).isTrue();
        assertThat(options.output().report()).contains("r.html");
        assertThat(SimOptions.parse(options.toArguments())).isEqualTo(options);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "--replicas 3; --replicas: expected a whole number from 4 to 31, found '3'",
                "--drop 2; --drop: expected a probability from 0 to 1, found '2'",
                "--latency 5..1; --latency: expected FROM..TO with FROM not after TO, found '5..1'",
                "--crash 9@1; --crash: expected a whole number from 0 to 3, found '9'",
                "--crash 1; --crash: expected REPLICA@TIME, the time",
                "--partition 1..2:{0}|{0}; --partition: expected each replica in one group only, found '{0}|{0}'",
                "--byzantine 0=nice; --byzantine: expected one of the behaviours bad-checkpoint,",
                "--byzantine 0=delay; --byzantine: expected a time such as",
                "--topology moon; --topology: expected one of lan, wan5, found 'moon'",
                "--nonsense 1; --nonsense: is not an option of a simulated run",
                "--nonsense; --nonsense: is not an option of a simulated run",
                "--nonsense=1; --nonsense=1: is not an option of a simulated run",
                "--seed; --seed: a value is missing",
                "seed; seed: is not an option; options begin with --",
                "--parameters window=1; --parameters: window: expected a number from 16 to 1024, found 1",
            })
    void saysWhatIsWrongWithAnOption(String line, String message) {
        assertThatThrownBy(() -> SimOptions.parse(List.of(line.split(" "))))
                .isInstanceOf(OptionError.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void afterThePartitionsTheNetworkIsStableUnlessToldOtherwise() {
        assertThat(SimOptions.parse(List.of("--partition", "1..900:{0}|{1}"))
                        .net()
                        .gstMicros())
                .isEqualTo(900_000);
        assertThat(SimOptions.parse(List.of("--drop", "0.5")).net().gstMicros())
                .isEqualTo(Simulation.GST_DEFAULT_MICROS);
        assertThat(SimOptions.defaults().net().gstMicros()).isZero();
    }
}
