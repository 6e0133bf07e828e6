package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the launcher in a checkout of its own, with a Java and a Maven that only write down how they were called: what is
 * under test is when it builds, what it runs, and what it says when it cannot.
 */
class LauncherTest {
    private static final long DEADLINE_SECONDS = 60;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temporary;

    private Path root = Path.of("");
    private Path jdk = Path.of("");
    private Path tools = Path.of("");

    record Run(int exit, String out, String err) {}

    @BeforeEach
    void checkout() throws IOException {
        root = Files.createDirectories(temporary.resolve("a checkout"));
        jdk = temporary.resolve("jdk");
        tools = Files.createDirectories(temporary.resolve("tools"));
        script(root.resolve("pbft"), Files.readString(launcher()));
        Path sources = Files.createDirectories(root.resolve("pbft-cli/src/main/java"));
        Files.writeString(sources.resolve("Main.java"), "class Main {}");
        Files.writeString(root.resolve("pom.xml"), "<project/>");
        java("17.0.1");
        script(tools.resolve("mvn"), """
                #!/bin/sh
                case $1 in
                    -v) echo "Apache Maven 3.9.9"; exit ;;
                esac
                echo "$@" >> builds
                mkdir -p pbft-cli/target && echo built > pbft-cli/target/pbft.jar
                """);
        ageSources();
    }

    @Test
    void buildsOnFirstUseAndNotAgain() throws Exception {
        Run first = run(root.resolve("pbft"), "status");
        assertThat(first.exit()).isEqualTo(7);
        assertThat(first.err()).startsWith("building pbft (first use");
        assertThat(builds()).hasSize(1);
        Run second = run(root.resolve("pbft"), "status");
        assertThat(second.err()).isEmpty();
        assertThat(builds()).hasSize(1);
    }

    @Test
    void buildsAgainWhenASourceChangedOrVanished() throws Exception {
        Path source = root.resolve("pbft-cli/src/main/java/Main.java");
        run(root.resolve("pbft"));
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(run(root.resolve("pbft")).err()).startsWith("building pbft (its sources have changed)");
        ageSources();
        assertThat(run(root.resolve("pbft")).err()).isEmpty();
        Files.delete(source);
        Files.setLastModifiedTime(
                source.resolveSibling("."), FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(run(root.resolve("pbft")).err()).startsWith("building pbft");
        assertThat(builds()).hasSize(3);
    }

    @Test
    void takesTheJarThatMavenMadeByHand() throws Exception {
        Files.createDirectories(root.resolve("pbft-cli/target"));
        Files.writeString(root.resolve("pbft-cli/target/pbft.jar"), "by hand");
        assertThat(run(root.resolve("pbft")).err()).isEmpty();
        assertThat(root.resolve("builds")).doesNotExist();
        assertThat(root.resolve("pbft-cli/target/launcher/pbft.jar")).hasContent("by hand");
    }

    @Test
    void passesArgumentsAndExitCodeThrough() throws Exception {
        Run run = run(root.resolve("pbft"), "put", "a b", "$x*", "");
        assertThat(run.exit()).isEqualTo(7);
        assertThat(run.out()).contains("[put]\n[a b]\n[$x*]\n[]\n").contains("[-XX:TieredStopAtLevel=1]");
    }

    @Test
    void longRunningCommandsGetTheOptimisingCompiler() throws Exception {
        for (String command : List.of("replica", "up", "bench", "sim")) {
            assertThat(run(root.resolve("pbft"), command).out())
                    .doesNotContain("TieredStopAtLevel")
                    .contains("[" + command + "]");
        }
    }

    @Test
    void worksThroughASymbolicLink() throws Exception {
        Path link = Files.createSymbolicLink(tools.resolve("short"), root.resolve("pbft"));
        Path linkToLink = Files.createSymbolicLink(temporary.resolve("shorter"), Path.of("tools/short"));
        assertThat(run(link).out()).contains("[-jar]");
        assertThat(run(linkToLink).out()).contains("[-jar]");
        assertThat(builds()).hasSize(1);
    }

    @Test
    void twoFirstUsesAtOnceBuildOnce() throws Exception {
        Started one = start(root.resolve("pbft"));
        Started two = start(root.resolve("pbft"));
        assertThat(one.finish().exit()).isEqualTo(7);
        assertThat(two.finish().exit()).isEqualTo(7);
        assertThat(builds()).hasSize(1);
    }

    @Test
    void anOldJavaIsRefused() throws Exception {
        java("11.0.2");
        Run run = run(root.resolve("pbft"));
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).startsWith("pbft: Java 17 or newer is needed").contains("11.0.2");
        java("1.8.0_292");
        assertThat(run(root.resolve("pbft")).exit()).isEqualTo(2);
    }

    @Test
    void aWrongJavaHomeIsNamed() throws Exception {
        Files.delete(jdk.resolve("bin/java"));
        Run run = run(root.resolve("pbft"));
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).startsWith("pbft: JAVA_HOME is " + jdk);
    }

    @Test
    void withoutACompilerThereIsNoBuild() throws Exception {
        Files.delete(jdk.resolve("bin/javac"));
        Run run = run(root.resolve("pbft"));
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).contains("no compiler (bin/javac)");
    }

    @Test
    void anOldMavenIsRefused() throws Exception {
        script(tools.resolve("mvn"), "#!/bin/sh\necho Apache Maven 3.6.3\n");
        Run run = run(root.resolve("pbft"));
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).contains("Maven 3.8 or newer").contains("3.6.3");
    }

    @Test
    void aFailedBuildRunsNothing() throws Exception {
        script(tools.resolve("mvn"), "#!/bin/sh\n[ \"$1\" = -v ] && echo Apache Maven 3.9.9 && exit\nexit 1\n");
        Run run = run(root.resolve("pbft"));
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).endsWith("pbft: the build failed, see above\n");
    }

    private static Path launcher() {
        Path at = Path.of("").toAbsolutePath();
        while (at != null && !Files.isRegularFile(at.resolve(".ci/run"))) {
            at = at.getParent();
        }
        assertThat(at).as("the root of the checkout").isNotNull();
        return Path.of(String.valueOf(at), "pbft");
    }

    /** A JDK of this version, whose java prints its arguments, a line each, and exits with 7. */
    private void java(String version) throws IOException {
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
        script(jdk.resolve("bin/java"), """
                #!/bin/sh
                printf '[%s]\\n' "$@"
                exit 7
                """);
        script(jdk.resolve("bin/javac"), "#!/bin/sh\n");
    }

    private static void script(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Makes every source clearly older than anything that is built now, however coarse the file system's clock is. */
    private void ageSources() throws IOException {
        FileTime past = FileTime.from(Instant.now().minus(Duration.ofHours(1)));
        try (var paths = Files.walk(root)) {
            for (Path path : paths.filter(path -> !path.startsWith(root.resolve("pbft-cli/target")))
                    .toList()) {
                Files.setLastModifiedTime(path, past);
            }
        }
    }

    private List<String> builds() throws IOException {
        return Files.readAllLines(root.resolve("builds"));
    }

    /** A running launcher and the files its output goes to. */
    record Started(Process process, Path out, Path err) {
        Run finish() throws IOException, InterruptedException {
            boolean ended = process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly();
            assertThat(ended).as("the launcher ends").isTrue();
            return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
        }
    }

    private Started start(Path command, String... args) throws IOException {
        Path out = Files.createTempFile(temporary, "out", "");
        Path err = Files.createTempFile(temporary, "err", "");
        ProcessBuilder builder = new ProcessBuilder();
        builder.command().add(command.toString());
        builder.command().addAll(List.of(args));
        builder.directory(temporary.toFile());
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().merge("PATH", tools.toString(), (path, first) -> first + ":" + path);
        builder.environment().keySet().removeIf(name -> name.startsWith("PBFT_"));
        builder.redirectOutput(out.toFile()).redirectError(err.toFile());
        return new Started(builder.start(), out, err);
    }

    private Run run(Path command, String... args) throws IOException, InterruptedException {
        return start(command, args).finish();
    }
}
