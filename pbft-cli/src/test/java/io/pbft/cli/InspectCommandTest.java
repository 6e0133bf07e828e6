package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pbft inspect} on folders that no replica has run in. */
class InspectCommandTest {
    @TempDir
    private Path temp;

    private Path dir;

    @BeforeEach
    void create() {
        dir = temp.resolve("cluster");
        new ClusterFolder(dir).create(new ClusterFolder.Plan("127.0.0.1", List.of(7001, 7002, 7003, 7004), 1));
    }

    private CommandRun inspect(Object... more) {
        Object[] words = new Object[more.length + 3];
        words[0] = "inspect";
        words[1] = "--dir";
        words[2] = dir;
        System.arraycopy(more, 0, words, 3, more.length);
        return CommandRun.of(words);
    }

    @Test
    void aNewFolderIsNotDamagedAndIsLeftAsItIs() throws IOException {
        CommandRun run = inspect("--id", 2);
        assertThat(run.exit()).as(run.err()).isZero();
        assertThat(run.out()).contains("replica 2 in", "which never ran").doesNotContain("DAMAGE");
        CommandRun json = inspect("--id", 2, "--json");
        assertThat(json.exit()).isZero();
        assertThat(json.out()).contains("\"neverStarted\":true", "\"damages\":[]", "\"promisesLost\":false");
        try (var files = Files.list(dir.resolve("replica-2"))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("key.pem", "never-started");
        }
    }

    @Test
    void whatLostItsJournalStartsOnlyWhenToldToRejoin() throws IOException {
        Files.delete(dir.resolve("replica-1").resolve("never-started"));
        CommandRun run = inspect("--id", 1);
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.out()).contains("DAMAGE", "there is no journal", "--rejoin");
        assertThat(inspect("--id", 1, "--json").out()).contains("\"promisesLost\":true");

        CommandRun start = CommandRun.of("replica", "--dir", dir, "--id", 1);
        assertThat(start.exit()).isEqualTo(2);
        assertThat(start.err())
                .contains("there is no journal in", "replica 1 never ran", "start it once with --rejoin");
    }

    @Test
    void aReplicaThatThereIsNotIsAnError() {
        CommandRun run = inspect("--id", 4);
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).contains("there is no replica 4", "expected 0 to 3");
        assertThat(inspect().exit()).isEqualTo(2);
    }
}
