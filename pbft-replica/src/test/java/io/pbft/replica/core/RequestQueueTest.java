package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Quotas, turns and patience of the queue (traps 10, 31 to 33, 68). */
class RequestQueueTest {
    private static final int MANY = 10_000;

    private final CoreWorld world = new CoreWorld(4);
    private final RequestQueue queue = new RequestQueue();
    private final ClientTable table = new ClientTable(CoreWorld.PARAMETERS, 4);

    private Signed<Request> request(int client, long number) {
        return world.request(client, number, "op");
    }

    private List<String> take(int operationsMax) {
        return queue.take(operationsMax, 1 << 20, table).stream()
                .map(r -> r.statement().client() + "/" + r.statement().first())
                .toList();
    }

    private void execute(Request request) {
        for (ClientTable.Planned planned : table.admit(1, CoreWorld.START_MILLIS, request)) {
            table.executed(planned, new ClientTable.Cached(1, 1, request.digest(), Outcome.EXECUTED, Bytes.EMPTY));
        }
    }

    @Test
    @DisplayName("Clients take turns, each in the order of its requests' arrival")
    void clientsTakeTurns() {
        for (int i = 1; i <= 3; i++) {
            queue.offer(request(1, i), 0);
        }
        queue.offer(request(5, 9), 0);
        queue.offer(request(5, 1), 0);
        queue.offer(request(3, 1), 0);
        assertThat(take(4)).containsExactly("1/1", "3/1", "5/9", "1/2");
        assertThat(take(4)).containsExactly("5/1", "1/3");
        assertThat(take(4)).isEmpty();
        assertThat(queue.hasUnproposed()).isFalse();
    }

    @Test
    @DisplayName("A greedy client meets its own quota and takes nobody else's place")
    void aQuotaIsAClientsOwn() {
        int taken = 0;
        for (int i = 1; i <= MANY; i++) {
            taken += queue.offer(request(1, i), 0) == RequestQueue.Offer.TAKEN ? 1 : 0;
        }
        assertThat(taken).isEqualTo(RequestQueue.CLIENT_REQUESTS_MAX);
        assertThat(queue.offer(request(2, 1), 0)).isEqualTo(RequestQueue.Offer.TAKEN);
        assertThat(queue.offer(request(1, 1), 0)).isEqualTo(RequestQueue.Offer.KNOWN);
        assertThat(take(2)).containsExactly("1/1", "2/1");
    }

    @Test
    @DisplayName("A client's bytes are bounded too, and given back when its requests are executed")
    void bytesAreBoundedAndGivenBack() {
        List<Bytes> large = Collections.nCopies(4, Bytes.copyOf(new byte[256 << 10]));
        int taken = 0;
        Request last = null;
        for (int i = 0; i < 32; i++) {
            Request request = new Request(1, CoreWorld.EPOCH, 1, 1 + 4L * i, -1, large);
            if (queue.offer(world.request(request), 0) == RequestQueue.Offer.TAKEN) {
                taken++;
                last = request;
            }
        }
        assertThat(taken).isEqualTo(15);
        queue.executed(last, 1);
        Request next = new Request(1, CoreWorld.EPOCH, 1, 1_000, -1, large);
        assertThat(queue.offer(world.request(next), 0)).isEqualTo(RequestQueue.Offer.TAKEN);
    }

    @Test
    @DisplayName("A request larger than a batch goes alone")
    void aLargeRequestGoesAlone() {
        queue.offer(world.request(1, 1, "a", "b", "c", "d"), 0);
        queue.offer(request(2, 1), 0);
        assertThat(take(2)).containsExactly("1/1");
        assertThat(take(2)).containsExactly("2/1");
    }

    @Test
    @DisplayName("What was settled under another key is passed over and forgotten")
    void whatIsSettledIsNotProposed() {
        queue.offer(request(1, 2), 0);
        queue.offer(request(2, 1), 0);
        execute(world.request(1, 1, "one", "two").statement());
        assertThat(take(10)).containsExactly("2/1");
        assertThat(queue.size()).isEqualTo(1);
        queue.offer(request(1, 2), 0);
        queue.dropSettled(table);
        assertThat(queue.size()).isEqualTo(1);
    }

    @Test
    @DisplayName("trap 24: a new view proposes everything anew but what it carries over")
    void aNewViewProposesAnew() {
        queue.offer(request(1, 1), 0);
        queue.offer(request(2, 1), 0);
        assertThat(take(10)).hasSize(2);
        queue.viewBegins(5);
        queue.proposed(request(1, 1).statement());
        assertThat(queue.unproposed()).containsExactly(request(2, 1));
        assertThat(take(10)).containsExactly("2/1");
    }

    @Test
    @DisplayName("Passed over: waits for long, unserved, while something that came later was executed")
    void whoIsPassedOver() {
        queue.offer(request(1, 1), 0);
        assertThat(queue.passedOver(1_000, 10, table))
                .as("nothing else is executed either")
                .isFalse();
        queue.offer(request(2, 1), 1);
        queue.executed(request(2, 1).statement(), 2);
        assertThat(queue.passedOver(9, 10, table)).as("not yet").isFalse();
        assertThat(queue.passedOver(10, 10, table)).isTrue();
        queue.viewBegins(10);
        assertThat(queue.passedOver(100, 10, table))
                .as("the new primary has done nothing yet")
                .isFalse();
    }

    @Test
    @DisplayName("Passed over by what never came here: the only client that is known must not be left out")
    void whatNeverCameHereCountsAsLater() {
        queue.offer(request(1, 1), 0);
        queue.executed(request(2, 1).statement(), 5);
        assertThat(queue.passedOver(10, 10, table)).isTrue();
    }

    @Test
    @DisplayName("Who is served, or settled under another key, is not passed over")
    void theServedAndTheSettledAreNotPassedOver() {
        queue.offer(request(1, 1), 0);
        queue.offer(request(1, 2), 0);
        queue.executed(request(2, 1).statement(), 1);
        queue.executed(request(1, 2).statement(), 8);
        assertThat(queue.passedOver(12, 10, table)).as("served at 8").isFalse();
        assertThat(queue.passedOver(18, 10, table)).isTrue();
        execute(request(1, 1).statement());
        assertThat(queue.passedOver(18, 10, table)).isFalse();
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    @DisplayName("Overdue: the first of each client, while no proposal carries it")
    void overdueRequests() {
        queue.offer(request(1, 1), 0);
        queue.offer(request(1, 2), 0);
        queue.offer(request(2, 1), 3);
        queue.offer(request(3, 1), 0);
        queue.proposed(request(3, 1).statement());
        assertThat(queue.overdue(5, 5, 10)).containsExactly(request(1, 1));
        assertThat(queue.overdue(8, 5, 10)).containsExactly(request(1, 1), request(2, 1));
        assertThat(queue.overdue(8, 5, 1)).hasSize(1);
    }

    @Test
    @DisplayName("Those who fill all there is give way to who has less, and a refusal leaves nothing behind")
    void theGreediestGiveWay() {
        String large = "x".repeat(Limits.OPERATION_BYTES_MAX);
        long each = RequestQueue.CLIENT_BYTES_MAX / Limits.OPERATION_BYTES_MAX - 1;
        int greedy = (int) (RequestQueue.BYTES_MAX / RequestQueue.CLIENT_BYTES_MAX) + 1;
        int taken = 0;
        for (int client = 0; client < greedy; client++) {
            taken = 0;
            for (int i = 1; i <= each; i++) {
                taken += queue.offer(world.request(client, i, large), 0) == RequestQueue.Offer.TAKEN ? 1 : 0;
            }
        }
        // The last one finds no room, and is given its share of all by the others.
        long share = RequestQueue.BYTES_MAX / greedy / Limits.OPERATION_BYTES_MAX;
        assertThat((long) taken).isBetween(share - 1, share + 1);
        // What is proposed cannot give way.
        int waits = queue.size();
        queue.take(MANY, Integer.MAX_VALUE, table);
        Signed<Request> late = world.request(greedy, 1, large);
        assertThat(queue.offer(late, 0)).isEqualTo(RequestQueue.Offer.REFUSED);
        assertThat(queue.passedOver(MANY, 1, table)).isFalse();
        assertThat(queue.overdue(MANY, 1, MANY)).isEmpty();
        queue.viewBegins(0);
        assertThat(queue.offer(late, 0)).isEqualTo(RequestQueue.Offer.TAKEN);
        assertThat(queue.size()).isEqualTo(waits);
    }

    @Test
    @DisplayName(
            "A client that fills its quota takes no room from what other replicas pass on of it, and they share it")
    void whatReplicasPassOnHasItsShare() {
        int max = RequestQueue.CLIENT_REQUESTS_MAX;
        for (int i = 1; i <= max; i++) {
            assertThat(queue.offer(request(1, i), 0)).isEqualTo(RequestQueue.Offer.TAKEN);
        }
        assertThat(queue.offer(request(1, max + 1), 0)).isEqualTo(RequestQueue.Offer.REFUSED);
        for (int i = 1; i <= max; i++) {
            int passedOn = 2 * max + i;
            RequestQueue.Offer fair = i <= max / 2 ? RequestQueue.Offer.TAKEN : RequestQueue.Offer.REFUSED;
            assertThat(queue.offer(request(1, passedOn), 2, 0)).as("%d", i).isEqualTo(fair);
        }
        // The newest of those who have most give way, whoever that is.
        assertThat(queue.size()).isEqualTo(max);
        assertThat(queue.offer(request(1, max), 0)).isEqualTo(RequestQueue.Offer.REFUSED);
        assertThat(queue.offer(request(1, 5L * max), 3, 0)).isEqualTo(RequestQueue.Offer.TAKEN);
        assertThat(queue.offer(request(1, 1), 3, 0)).isEqualTo(RequestQueue.Offer.KNOWN);
        assertThat(queue.size()).isEqualTo(max);
    }
}
