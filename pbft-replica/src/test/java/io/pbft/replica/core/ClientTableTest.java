package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Exactly-once execution by sessions and windows (traps 29 to 32, 36, 43, 50, 75). */
class ClientTableTest {
    private static final long NOW = CoreWorld.START_MILLIS;
    private static final int CLIENTS = 16;

    private ClientTable table = new ClientTable(CoreWorld.PARAMETERS, CLIENTS);
    private long seq;

    private static long epoch(long millisAgo) {
        return (NOW - millisAgo) << ClientTable.EPOCH_RANDOM_BITS;
    }

    private static Request request(int client, long epoch, long lowest, long first, int operations) {
        List<Bytes> payloads = new ArrayList<>();
        for (int i = 0; i < operations; i++) {
            payloads.add(Bytes.utf8(client + "/" + epoch + "/" + (first + i)));
        }
        return new Request(client, epoch, lowest, first, -1, payloads);
    }

    /** Executes a request as a batch of its own, and tells which numbers ran, or why not. */
    private static List<String> run(ClientTable table, long seq, Request request) {
        List<String> ran = new ArrayList<>();
        for (ClientTable.Planned planned : table.admit(seq, NOW, request)) {
            if (planned.refused() == null) {
                ran.add(Long.toString(planned.number()));
                table.executed(
                        planned,
                        new ClientTable.Cached(
                                seq, NOW, Digest.of(planned.operation()), Outcome.EXECUTED, planned.operation()));
            } else {
                ran.add(planned.number() + " " + planned.refused());
            }
        }
        return ran;
    }

    private List<String> run(Request request) {
        return run(table, ++seq, request);
    }

    @Test
    @DisplayName("trap 30: numbers within the window run in any order, each once")
    void numbersRunInAnyOrderOnce() {
        long epoch = epoch(0);
        assertThat(run(request(1, epoch, 1, 5, 1))).containsExactly("5");
        assertThat(run(request(1, epoch, 1, 2, 2))).containsExactly("2", "3");
        assertThat(run(request(1, epoch, 1, 1, 6))).containsExactly("1", "4", "6");
        assertThat(run(request(1, epoch, 1, 1, 6))).isEmpty();
        assertThat(table.settled(request(1, epoch, 1, 1, 6))).isTrue();
        assertThat(table.settled(request(1, epoch, 1, 6, 2))).isFalse();
        assertThat(table.cached(1, epoch, 4)).isNotNull();
    }

    @Test
    @DisplayName("trap 31: a jump beyond the window is refused and locks nobody out")
    void aJumpBeyondTheWindowIsRefused() {
        long epoch = epoch(0);
        int window = CoreWorld.PARAMETERS.sessionWindow();
        assertThat(run(request(1, epoch, 1, window + 1L, 1))).containsExactly((window + 1) + " OUT_OF_WINDOW");
        assertThat(run(request(1, epoch, 1, window, 1))).containsExactly(Integer.toString(window));
        assertThat(run(request(1, epoch, 1, 1, 1))).containsExactly("1");
        // Once the client has acknowledged what lies below, the window moves.
        assertThat(run(request(1, epoch, 2, window + 1L, 1))).containsExactly(Integer.toString(window + 1));
    }

    @Test
    @DisplayName("What the client acknowledged is forgotten, and never runs again")
    void belowTheLowMarkNothingRunsAgain() {
        long epoch = epoch(0);
        run(request(1, epoch, 1, 1, 3));
        run(request(1, epoch, 4, 4, 1));
        assertThat(table.cached(1, epoch, 3)).isNull();
        assertThat(run(request(1, epoch, 1, 1, 3))).isEmpty();
        assertThat(table.settled(request(1, epoch, 1, 1, 3))).isTrue();
    }

    @Test
    @DisplayName(
            "traps 29, 32, 75: sessions are told apart; the least recently used one goes, and is never served again")
    void aForgottenSessionIsNeverServedAgain() {
        int sessions = CoreWorld.PARAMETERS.sessionsPerClient();
        for (int i = 0; i < sessions; i++) {
            assertThat(run(request(1, epoch(100 - i), 1, 1, 1))).containsExactly("1");
        }
        // The oldest is used again, so that the second oldest is the one to go.
        run(request(1, epoch(100), 1, 2, 1));
        assertThat(run(request(1, epoch(0), 1, 1, 1))).containsExactly("1");
        assertThat(table.sessions()).isEqualTo(sessions);
        assertThat(run(request(1, epoch(99), 1, 1, 1))).containsExactly("1 SESSION_EXPIRED");
        assertThat(table.expired(request(1, epoch(99), 1, 7, 1))).isTrue();
        assertThat(table.settled(request(1, epoch(99), 1, 7, 1))).isTrue();
        assertThat(run(request(1, epoch(100), 1, 1, 3))).containsExactly("3");
        // Another client's sessions are its own.
        assertThat(run(request(2, epoch(99), 1, 1, 1))).containsExactly("1");
    }

    @Test
    @DisplayName(
            "A session from the future is refused: it would push out those that are real; a slow agreed time is none")
    void aSessionFromTheFutureIsRefused() {
        long ahead = 2L * CoreWorld.PARAMETERS.clockSkewMillis();
        assertThat(run(request(1, epoch(-ahead - 1), 1, 1, 1))).containsExactly("1 SESSION_IN_FUTURE");
        assertThat(table.sessions()).isZero();
        assertThat(run(request(1, epoch(-ahead), 1, 1, 1))).containsExactly("1");
    }

    @Test
    @DisplayName("A session older than all that are remembered does not push them out")
    void anOlderSessionPushesNobodyOut() {
        for (int i = 0; i < CoreWorld.PARAMETERS.sessionsPerClient(); i++) {
            run(request(1, epoch(10 - i), 1, 1, 1));
        }
        assertThat(run(request(1, epoch(1_000), 1, 1, 1))).containsExactly("1 SESSION_EXPIRED");
        assertThat(run(request(1, epoch(10), 1, 1, 1))).isEmpty();
    }

    @Test
    @DisplayName("A session that was refused for its age stays refused, whichever of the others rests longest later")
    void aRefusedSessionNeverRunsLater() {
        int most = CoreWorld.PARAMETERS.sessionsPerClient();
        run(request(1, epoch(1_000), 1, 1, 1));
        for (int i = 1; i < most; i++) {
            run(request(1, epoch(i), 1, 1, 1));
        }
        run(request(1, epoch(1_000), 1, 2, 1));
        Request between = request(1, epoch(500), 1, 1, 1);
        assertThat(run(between)).containsExactly("1 SESSION_EXPIRED");
        assertThat(table.expired(between)).isTrue();
        for (int i = 1; i < most; i++) {
            run(request(1, epoch(i), 1, 2, 1));
        }
        assertThat(run(between)).containsExactly("1 SESSION_EXPIRED");
    }

    /** Executes a request whose results have {@code bytes} bytes, where there is room, and tells the outcomes. */
    private List<Outcome> keep(long seq, long millis, Request request, int bytes) {
        List<ClientTable.Planned> planned = table.admit(seq, millis, request);
        ResultRoom.Meter room = table.room(Set.of(request.client())).meter();
        List<Outcome> outcomes = new ArrayList<>();
        for (ClientTable.Planned operation : planned) {
            boolean fits = room.take(request.client(), bytes);
            Outcome outcome = fits ? Outcome.EXECUTED : Outcome.RESULTS_FULL;
            Bytes result = fits ? Bytes.wrap(new byte[bytes]) : Bytes.EMPTY;
            Digest digest = Digest.of(operation.operation());
            table.executed(operation, new ClientTable.Cached(seq, millis, digest, outcome, result));
            outcomes.add(outcome);
        }
        return outcomes;
    }

    private static final int MAX = CoreWorld.PARAMETERS.resultBytesMax();

    /** What one client may keep while nobody else keeps anything. */
    private static final int ALLOWANCE = MAX / 4;

    @Test
    @DisplayName(
            "A client that acknowledges nothing keeps a quarter of all results; what finds no room is known as such")
    void resultsOfOneClientAreBounded() {
        int bytes = ALLOWANCE / 8;
        assertThat(keep(1, NOW, request(1, epoch(0), 1, 1, 10), bytes))
                .containsExactly(outcomes(8, Outcome.EXECUTED, 2, Outcome.RESULTS_FULL));
        assertThat(table.resultBytes()).isEqualTo(ALLOWANCE);
        // What was refused has its answer, and never runs later; small results go on.
        assertThat(keep(2, NOW, request(1, epoch(0), 1, 1, 10), bytes)).isEmpty();
        assertThat(table.cached(1, epoch(0), 10).outcome()).isEqualTo(Outcome.RESULTS_FULL);
        assertThat(keep(3, NOW, request(1, epoch(0), 1, 11, 2), ResultRoom.FREE_BYTES))
                .containsOnly(Outcome.EXECUTED);
        // Once the client has acknowledged three, there is room for three more.
        assertThat(keep(4, NOW, request(1, epoch(0), 4, 13, 4), bytes))
                .containsExactly(outcomes(3, Outcome.EXECUTED, 1, Outcome.RESULTS_FULL));
    }

    private static Outcome[] outcomes(int first, Outcome one, int then, Outcome other) {
        Outcome[] outcomes = new Outcome[first + then];
        java.util.Arrays.fill(outcomes, 0, first, one);
        java.util.Arrays.fill(outcomes, first, first + then, other);
        return outcomes;
    }

    @Test
    @DisplayName("Clients that acknowledge nothing leave everybody a share, and all results within their bound")
    void everyClientHasItsShare() {
        for (int client = 1; client < CLIENTS; client++) {
            keep(client, NOW, request(client, epoch(0), 1, 1, 64), MAX / 64);
            keep(client, NOW, request(client, epoch(1), 1, 1, 64), 1 << 10);
        }
        assertThat(table.resultBytes()).isEqualTo(MAX - MAX / 2 / CLIENTS);
        int share = MAX / 2 / CLIENTS;
        assertThat(keep(9, NOW, request(0, epoch(0), 1, 1, 4), share / 4)).containsOnly(Outcome.EXECUTED);
        assertThat(keep(10, NOW, request(0, epoch(0), 1, 5, 1), share / 4)).containsOnly(Outcome.RESULTS_FULL);
        assertThat(table.resultBytes()).isEqualTo(MAX);
    }

    @Test
    @DisplayName("The results of a session that ended make room for the next one's, those of a session in use do not")
    void aSessionThatEndedMakesRoom() {
        int bytes = ALLOWANCE / 4;
        keep(1, NOW, request(1, epoch(9), 1, 1, 4), bytes);
        assertThat(keep(2, NOW + ClientTable.IDLE_MILLIS - 1, request(1, epoch(8), 1, 1, 1), bytes))
                .containsExactly(Outcome.RESULTS_FULL);
        assertThat(keep(3, NOW + ClientTable.IDLE_MILLIS, request(1, epoch(8), 1, 2, 4), bytes))
                .containsOnly(Outcome.EXECUTED);
        assertThat(table.cached(1, epoch(9), 1)).isNull();
        assertThat(run(request(1, epoch(9), 1, 1, 1))).containsExactly("1 SESSION_EXPIRED");
        assertThat(table.cached(1, epoch(8), 2)).isNotNull();
    }

    @Test
    @DisplayName("A client's share is all for the session in use, whatever others hold and its ended ones left behind")
    void endedSessionsTakeNothingOfTheShare() {
        int share = MAX / 2 / CLIENTS;
        for (int client = 1; client <= 3; client++) {
            keep(client, NOW, request(client, epoch(0), 1, 1, 64), MAX / 64);
        }
        assertThat(keep(4, NOW, request(0, epoch(9), 1, 1, 4), share / 4)).containsOnly(Outcome.EXECUTED);
        long later = NOW + ClientTable.IDLE_MILLIS;
        assertThat(keep(5, later - 1, request(0, epoch(8), 1, 1, 1), share / 4)).containsExactly(Outcome.RESULTS_FULL);
        assertThat(keep(6, later, request(0, epoch(8), 2, 2, 4), share / 4)).containsOnly(Outcome.EXECUTED);
        assertThat(table.cached(0, epoch(9), 1)).isNull();
        assertThat(run(request(0, epoch(9), 1, 1, 1))).containsExactly("1 SESSION_EXPIRED");
        // Those who hold the pool are in use, and keep what they have.
        assertThat(table.cached(1, epoch(0), 1)).isNotNull();
    }

    @Test
    @DisplayName("A batch is told of its own clients alone, however many keep results")
    void aBatchIsToldOfItsOwnClients() {
        for (int client = 1; client < CLIENTS; client++) {
            keep(client, NOW, request(client, epoch(0), 1, 1, 1), 100);
        }
        ResultRoom room = table.room(Set.of(0, 3, 5));
        assertThat(room.kept()).isEqualTo(Map.of(3, 100L, 5, 100L));
    }

    @Test
    @DisplayName("Bounds may be lowered between two runs: what is kept beyond them stays, and lets nothing more in")
    void whatIsKeptMayExceedLoweredBounds() {
        for (int client = 1; client <= 3; client++) {
            keep(client, NOW, request(client, epoch(0), 1, 1, 1), ALLOWANCE);
        }
        TreeMap<Bytes, Bytes> stored = new TreeMap<>();
        apply(stored, table.checkpoint(NOW));
        int lowered = 64 << 10;
        table = new ClientTable(CoreWorld.keeping(lowered), CLIENTS);
        table.load(entries(stored));
        int share = lowered / 2 / CLIENTS;
        assertThat(keep(4, NOW, request(1, epoch(0), 1, 2, 1), share)).containsExactly(Outcome.RESULTS_FULL);
        assertThat(keep(5, NOW, request(4, epoch(0), 1, 1, 2), share))
                .containsExactly(Outcome.EXECUTED, Outcome.RESULTS_FULL);
        assertThat(keep(6, NOW, request(1, epoch(0), 3, 3, 1), share)).containsExactly(Outcome.EXECUTED);
    }

    @Test
    @DisplayName("A result that is kept without room is noticed")
    void aResultWithoutRoomIsNoticed() {
        List<ClientTable.Planned> planned = table.admit(1, NOW, request(1, epoch(0), 1, 1, 1));
        Bytes result = Bytes.wrap(new byte[ALLOWANCE + 1]);
        assertThatThrownBy(() -> table.executed(
                        planned.get(0), new ClientTable.Cached(1, NOW, Digest.ZERO, Outcome.EXECUTED, result)))
                .isInstanceOf(InvariantViolation.class)
                .hasMessageContaining("room");
    }

    @Test
    @DisplayName("Results that nobody fetched for a minute go at a checkpoint, where they are in others' way")
    void whatNobodyFetchesGoesAtACheckpoint() {
        for (int client = 1; client <= 3; client++) {
            keep(client, NOW, request(client, epoch(0), 1, 1, 64), MAX / 256);
        }
        long before = table.resultBytes();
        table.checkpoint(NOW + ClientTable.LONG_IDLE_MILLIS - 1);
        assertThat(table.resultBytes()).isEqualTo(before);
        table.checkpoint(NOW + ClientTable.LONG_IDLE_MILLIS);
        assertThat(table.resultBytes()).isZero();
        assertThat(table.answers()).isZero();
    }

    @Test
    @DisplayName("The sessions of one client together keep two windows of answers")
    void answersOfOneClientAreBounded() {
        int window = CoreWorld.PARAMETERS.sessionWindow();
        run(request(1, epoch(9), 1, 1, window));
        run(request(1, epoch(8), 1, 1, window));
        assertThat(table.answers()).isEqualTo(2 * window);
        run(request(1, epoch(9), 1, 1, 1));
        assertThat(run(request(1, epoch(7), 1, 1, window))).hasSize(window);
        assertThat(table.answers()).isEqualTo(2 * window);
        // The one used longest ago is gone.
        assertThat(table.cached(1, epoch(8), 1)).isNull();
        assertThat(table.cached(1, epoch(9), 1)).isNotNull();
        assertThat(run(request(1, epoch(8), 1, 1, 1))).containsExactly("1 SESSION_EXPIRED");
    }

    private static void apply(Map<Bytes, Bytes> stored, Map<Bytes, Optional<Bytes>> changes) {
        changes.forEach(
                (key, value) -> value.ifPresentOrElse(present -> stored.put(key, present), () -> stored.remove(key)));
    }

    private static List<StateView.Entry> entries(Map<Bytes, Bytes> stored) {
        List<StateView.Entry> entries = new ArrayList<>();
        stored.forEach((key, value) -> entries.add(new StateView.Entry(key, value)));
        return entries;
    }

    private static ClientTable loaded(Map<Bytes, Bytes> stored) {
        ClientTable table = new ClientTable(CoreWorld.PARAMETERS, CLIENTS);
        table.load(entries(stored));
        return table;
    }

    @Test
    @DisplayName(
            "traps 36, 43, 50: a table loaded from any checkpoint goes on as the one that lived all along, to the byte")
    void aLoadedTableIsTheLivedOne() {
        for (int round = 0; round < 60; round++) {
            Random random = new Random(round);
            TreeMap<Bytes, Bytes> stored = new TreeMap<>();
            ClientTable lived = new ClientTable(CoreWorld.PARAMETERS, CLIENTS);
            ClientTable other = lived;
            TreeMap<Bytes, Bytes> othersStore = new TreeMap<>();
            for (int step = 1; step <= 200; step++) {
                long lowest = 1L + random.nextInt(1 + step / 4);
                Request request = request(
                        random.nextInt(2),
                        epoch(random.nextInt(9) - 1),
                        lowest,
                        lowest + random.nextInt(80),
                        1 + random.nextInt(4));
                List<String> ran = run(lived, step, request);
                if (other != lived) {
                    assertThat(run(other, step, request))
                            .as("seed %d, step %d", round, step)
                            .isEqualTo(ran);
                }
                if (random.nextInt(20) == 0) {
                    apply(stored, lived.checkpoint(NOW));
                    if (other != lived) {
                        apply(othersStore, other.checkpoint(NOW));
                        assertThat(othersStore)
                                .as("seed %d, step %d", round, step)
                                .isEqualTo(stored);
                    }
                    othersStore = new TreeMap<>(stored);
                    other = loaded(othersStore);
                    assertThat(other.checkpoint(NOW)).isEmpty();
                }
            }
        }
    }
}
