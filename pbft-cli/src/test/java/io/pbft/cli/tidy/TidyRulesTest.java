package io.pbft.cli.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Plants what each rule forbids and sees it caught, and what looks like it and sees it let pass. */
class TidyRulesTest {
    private static final String CORE = "pbft-replica/src/main/java/io/pbft/replica/core/Planted.java";
    private static final String REPLICA = "pbft-replica/src/main/java/io/pbft/replica/Planted.java";
    private static final String REPLICA_TEST = "pbft-replica/src/test/java/io/pbft/replica/PlantedTest.java";
    private static final String CLIENT = "pbft-client/src/main/java/io/pbft/client/Planted.java";
    private static final String CRYPTO = "crypto/src/main/java/io/pbft/crypto/Planted.java";
    private static final String TRANSPORT = "transport/src/main/java/io/pbft/transport/Planted.java";
    private static final String CHECKPOINT = "checkpoint/src/main/java/io/pbft/checkpoint/Planted.java";
    private static final String CLI = "pbft-cli/src/main/java/io/pbft/cli/Planted.java";

    /** A snippet in a place, and the one rule that must fire there; none where {@code rule} is empty. */
    record Plant(String path, String rule, String snippet) {
        @Override
        public String toString() {
            return (rule.isEmpty() ? "nothing" : rule) + ": "
                    + snippet.lines().findFirst().orElse("");
        }
    }

    private static Plant caught(String rule, String path, String snippet) {
        return new Plant(path, rule, snippet);
    }

    private static Plant fine(String path, String snippet) {
        return new Plant(path, "", snippet);
    }

    static Stream<Plant> plants() {
        return Stream.of(caughtInCore(), caughtElsewhere(), fine()).flatMap(List::stream);
    }

    private static List<Plant> caughtInCore() {
        return List.of(
                caught("core-clock", CORE, "long t = System.currentTimeMillis();"),
                caught("core-clock", CORE, "long t = System.nanoTime();"),
                caught("core-clock", CORE, "import java.time.Instant;"),
                caught("core-clock", CORE, "void at(Clock clock) {}"),
                caught("core-thread", CORE, "Thread.currentThread();"),
                caught("core-thread", CORE, "ThreadLocal<String> x;"),
                caught("core-thread", CORE, "import java.util.concurrent.locks.Lock;"),
                caught("core-thread", CORE, "synchronized (this) {}"),
                caught("core-thread", CORE, "list.parallelStream()"),
                caught("core-io", CORE, "import java.io.File;"),
                caught("core-io", CORE, "import java.nio.file.Path;"),
                caught("core-io", CORE, "import java.nio.channels.FileChannel;"),
                caught("core-io", CORE, "import java.net.Socket;"),
                caught("core-io", CORE, "String s = System.getProperty(x);"),
                caught("core-log", CORE, "import org.slf4j.Logger;"),
                caught("core-log", CORE, "import java.util.logging.Level;"),
                caught("core-random", CORE, "new Random(1)"),
                caught("core-random", CORE, "import java.security.SecureRandom;"),
                caught("core-random", CORE, "Math.random()"),
                caught("core-order", CORE, "import java.util.HashMap;"),
                caught("core-order", CORE, "new HashSet<>()"),
                caught("core-order", CORE, "new LinkedHashMap<>()"),
                caught("core-order", CORE, "new LinkedHashSet<>()"),
                caught("core-order", CORE, "new IdentityHashMap<>()"),
                caught("core-order", CORE, "Set.of(1)"),
                caught("core-order", CORE, "Map.of(1, 2)"),
                caught("core-order", CORE, "Map.<Integer, Integer>of(1, 2)"),
                caught("core-order", CORE, "Set.copyOf(list)"),
                caught("core-order", CORE, "Map\n    .copyOf(map)"),
                caught("core-order", CORE, "x.collect(Collectors.toSet())"),
                caught("core-collector", CORE, "x.collect(Collectors.toMap(a -> f(a, 1), b -> b))"),
                caught("core-collector", CORE, "x.collect(groupingBy(a -> a, toList()))"),
                caught("core-alone", CORE, "import io.pbft.transport.Connection;"),
                caught("core-alone", CORE, "import io.pbft.replica.Driver;"));
    }

    private static List<Plant> caughtElsewhere() {
        return List.of(
                caught("unfinished", REPLICA, "// TODO later"),
                caught("unfinished", REPLICA, "/* FIXME */"),
                caught("unfinished", REPLICA, "throw new Error(\"XXX\");"),
                caught("unfinished", REPLICA_TEST, "// TODO later"),
                caught("stack-trace", REPLICA, "e.printStackTrace();"),
                caught("standard-output", REPLICA, "System.out.println();"),
                caught("standard-output", REPLICA_TEST, "System.err.println();"),
                caught("java-serialization", TRANSPORT, "new ObjectInputStream(in)"),
                caught("netty", REPLICA, "import io.netty.channel.Channel;"),
                caught("netty", CLIENT, "io.netty.buffer.ByteBuf b;"),
                caught("lmdb", REPLICA, "import org.lmdbjava.Env;"),
                caught("bouncy-castle", REPLICA, "import org.bouncycastle.math.ec.rfc8032.Ed25519;"),
                caught("picocli", CLIENT, "import picocli.CommandLine;"),
                caught("tab", REPLICA, "int\tx;"),
                caught("line-length", REPLICA, "int " + "x".repeat(116) + ";"),
                caught("line-length", REPLICA, "// " + "x".repeat(128)),
                caught("method-length", REPLICA, method("void long1(int a) throws A, B {", 69)),
                caught("method-length", REPLICA, method("Planted(int a) {", 69)),
                caught("method-length", REPLICA, method("public Planted {", 69)),
                caught("method-length", REPLICA, method("List<A> f(\n        int a) {", 68)),
                caught("disabled-test", REPLICA_TEST, "@Disabled(\"flaky\") void f() {}"),
                caught("disabled-test", REPLICA_TEST, "@org.junit.jupiter.api.DisabledOnJre void f() {}"),
                caught("empty-catch", REPLICA, "try { f(); } catch (A | B e) {\n}"),
                caught("test-sleep", REPLICA_TEST, "Thread.sleep(100);"),
                caught("test-sleep", REPLICA_TEST, "TimeUnit.SECONDS.sleep(1);"),
                caught("module-direction", CRYPTO, "import io.pbft.protocol.Message;"),
                caught("module-direction", TRANSPORT, "import io.pbft.checkpoint.Journal;"),
                caught("module-direction", CHECKPOINT, "io.pbft.replica.core.Config c;"),
                caught("module-direction", CLIENT, "import static io.pbft.replica.Server.start;"),
                caught("module-direction", "protocol/src/main/java/io/pbft/crypto/Planted.java", "int x;"),
                caught("module-direction", "newcomer/src/main/java/io/pbft/newcomer/Planted.java", "int x;"));
    }

    private static List<Plant> fine() {
        return List.of(
                fine(CORE, "// System.nanoTime() and a Thread with a HashMap"),
                fine(CORE, "/** Not a {@code Random}. */ String s = \"new HashMap<>()\";"),
                fine(CORE, "String s = \"\"\"\n    Thread \\\"\"\" HashSet\n    \"\"\"; char c = '\"'; // Random\n"),
                fine(CORE, "import java.util.TreeMap; import java.time.Duration; List.of(1); EnumMap<A, B> m;"),
                fine(CORE, "x.collect(Collectors.toMap(a -> a, b -> b, (p, q) -> p, TreeMap::new))"),
                fine(CORE, "x.collect(groupingBy(a -> a, TreeMap::new, toList()))"),
                fine(CORE, "import java.nio.ByteBuffer; import io.pbft.replica.core.Config; threads.append(1);"),
                fine(REPLICA, "long t = System.nanoTime(); new HashMap<>(); Thread.sleep(1);"),
                fine(REPLICA_TEST, "String s = \"TODO\";"),
                fine(REPLICA_TEST, "String s = \"e.printStackTrace() System.out @Disabled\";"),
                fine(CLI, "System.out.println(); import picocli.CommandLine;"),
                fine(TRANSPORT, "import io.netty.channel.Channel; import org.bouncycastle.cert.X509CertificateHolder;"),
                fine(CHECKPOINT, "import org.lmdbjava.Env;"),
                fine(REPLICA, "int " + "x".repeat(115) + ";"),
                fine(REPLICA, "    // " + "x".repeat(123)),
                fine(REPLICA, method("void f() {", 68)),
                fine(REPLICA, method("record R(int a) {", 90)),
                fine(REPLICA, method("Runnable r = new Runnable() {", 90)),
                fine(REPLICA, "try { f(); } catch (A e) {\n    // cannot happen: the name is a constant\n}"),
                fine(CLIENT, "import io.pbft.transport.Connection; import io.pbft.crypto.Digest;"));
    }

    private static String method(String header, int lines) {
        return header + "\n" + "    f('{');\n".repeat(lines) + "}";
    }

    @ParameterizedTest
    @MethodSource("plants")
    void whatIsPlantedIsCaught(Plant plant) {
        String packageName = plant.path()
                .replaceAll(".*/java/", "")
                .replaceAll("/\\w+\\.java$", "")
                .replace('/', '.');
        Source source = Source.of(plant.path(), "package " + packageName + ";\n\n" + plant.snippet() + "\n");
        List<Tidy.Finding> findings = Tidy.check(source);
        if (plant.rule().isEmpty()) {
            assertThat(findings).isEmpty();
        } else {
            assertThat(findings)
                    .isNotEmpty()
                    .allSatisfy(finding -> assertThat(finding.rule()).isEqualTo(plant.rule()));
        }
    }

    @Test
    void everyRuleHasBeenSeenToFire() {
        TreeSet<String> fired = new TreeSet<>();
        plants().forEach(plant -> fired.add(plant.rule()));
        fired.remove("");
        assertThat(fired)
                .containsExactlyInAnyOrderElementsOf(
                        Tidy.RULES.stream().map(Tidy.Rule::name).toList());
    }

    @Test
    void aFindingNamesItsLine() {
        Source source = Source.of(REPLICA, "package io.pbft.replica;\n\n/* a\n b */ int x; // FIXME now\n");
        assertThat(Tidy.check(source)).hasSize(1).first().hasToString(REPLICA + ":4: unfinished: FIXME");
    }

    @Test
    void blankingKeepsEveryLineAndColumn() {
        String text = "a(\"x\\\"y\", '\\'', \"\"\"\n  b \\\"\"\" c\n  \"\"\"); // d \"e\n/* f\n' */ g(\"";
        Source source = Source.of(REPLICA, text);
        assertThat(source.code())
                .isEqualTo("a(\"    \", '  ', \"\"\"\n" + "          \n  \"\"\");        \n    \n     g(\"");
        assertThat(source.prose()).hasSameSizeAs(text).contains("// d \"e\n/* f\n' */");
    }

    @Test
    void machinesAndRegistriesAreFoundInAnyText() {
        List<String> planted = List.of(
                "cd /" + "home/anna/pbft",
                "see (/" + "Users/anna)",
                "JAVA_HOME=/" + "usr/lib/jvm/java-17",
                "file:///" + "tmp/build/pbft",
                "C:" + "\\Users\\anna",
                "https://repo" + ".maven.apache.org/maven2",
                "http://10.0.0.1:8081" + "/maven",
                "<" + "repository>",
                "fixes issue" + " 12");
        for (String line : planted) {
            assertThat(TextRules.check("README.md", "first\n" + line)).as(line).hasSize(1);
        }
        List<String> fine = List.of(
                "./pbft up --dir /tmp/cluster",
                "xmlns=\"http://maven.apache.org/POM/4.0.0\"",
                "src/main/java/work/Home.java",
                "an issue with 4 replicas",
                "http://localhost:9400/metrics");
        for (String line : fine) {
            assertThat(TextRules.check("README.md", line)).as(line).isEmpty();
        }
    }
}
