package io.pbft.simulator.byzantine;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.simulator.BehaviourSpec;
import io.pbft.simulator.node.ClientNode;
import io.pbft.simulator.node.Watch;
import io.pbft.simulator.node.World;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.MessageKey;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A Byzantine client's way to the network. It signs with its own key alone. Operations that it makes up carry negative numbers,
 * and the checkers are told of them: they may be executed, and nobody knows what came of them. NOT thread-safe.
 */
public final class LyingClient {
    private static final int KEPT_MAX = 64;
    private static final int FLOOD_PER_TICK = 2;

    /** Not to drown the search for an order in operations without answers. */
    private static final int MADE_UP_MAX = 24;

    /** What a greedy client asks for besides its own: reads of a key that nobody writes, which no order depends on. */
    private static final int GREEDY_MAX = 3_000;

    private static final int GREEDY_PER_TICK = 300;
    private static final long GREEDY_NUMBERS = 1_000_000;

    /** A value whose bytes count among the results that are kept. */
    private static final String BULKY = "x".repeat(400);

    private final World world;
    private final ClientNode node;
    private final List<BehaviourSpec> specs;
    private final Watch watch;
    private final List<Message> kept = new ArrayList<>();

    /** What a hoarder put in place of its core's operations, by the first of their numbers. */
    private final TreeMap<Long, List<Bytes>> bulky = new TreeMap<>();

    private long madeUp;
    private long greedy;
    private long ticks;

    private LyingClient(World world, ClientNode node, List<BehaviourSpec> specs, Watch watch) {
        this.world = world;
        this.node = node;
        this.specs = specs;
        this.watch = watch;
    }

    public static void corrupt(World world, ClientNode node, List<BehaviourSpec> specs, Watch watch) {
        LyingClient liar = new LyingClient(world, node, specs, watch);
        node.corrupt(liar::send, liar::tick);
    }

    private boolean isOn(String name) {
        return specs.stream().anyMatch(spec -> spec.name().equals(name) && spec.isOn(world.now()));
    }

    /** Whether it has lies left: each operation that it makes up is one of its own, so that it has one place in the order. */
    private boolean canMakeUp(Request request) {
        return madeUp + request.operations().size() <= MADE_UP_MAX;
    }

    private boolean dares(double probability, long about) {
        return world.keyed().fires(Fault.LIE, probability, Mix.mix(~node.endpoint(), about), 0, world.now());
    }

    private void pass(int to, Message message) {
        world.network().send(node.endpoint(), NodeId.replica(to), message, 0);
    }

    private void lie(String name, int to, Message message) {
        lie(name, to, message, Optional.empty());
    }

    private void lie(String name, int to, Message message, Optional<Message> instead) {
        world.trace().lie(node.name(), NodeId.replica(to), MessageKey.of(message), name, instead);
        pass(to, message);
    }

    private void send(int to, Message message) {
        if (!(message instanceof Signed<?> signed && signed.statement() instanceof Request request)) {
            pass(to, message);
            return;
        }
        keep(message);
        long about = Mix.mix(request.first(), to);
        if (isOn("partial-send") && to != request.first() % world.options().replicas() && dares(1, about)) {
            world.trace().event("withhold", node.name(), MessageKey.of(message), to, "partial-send");
        } else if (isOn("conflicting-requests") && canMakeUp(request) && dares(0.5, about)) {
            lie("conflicting-requests", to, changed(request, request.first()), Optional.of(message));
        } else if (isOn("hoard") && dares(1, request.first())) {
            hoard(to, request, message);
        } else if (isOn("number-jump") && canMakeUp(request) && dares(0.3, request.first())) {
            long jump = (world.keyed().bits(Fault.MUTATE, about, 1) & 1) == 0 ? 1_000_000_000L : 40;
            lie("number-jump", to, changed(request, request.first() + jump), Optional.of(message));
        } else if (isOn("forge") && dares(0.7, about)) {
            pass(to, message);
            int victim = (int) ((request.client() + 1L) % world.options().clients());
            Request forged = new Request(
                    victim,
                    request.epoch(),
                    request.lowest(),
                    request.first(),
                    request.replier(),
                    request.operations());
            lie("forge", to, new Signed<>(forged, signed.signature()));
        } else {
            pass(to, message);
        }
    }

    /** Large results, none of which it ever acknowledges. */
    private void hoard(int to, Request request, Message instead) {
        List<Bytes> operations = bulky.get(request.first());
        if (operations == null && canMakeUp(request)) {
            operations = new ArrayList<>();
            for (int i = 0; i < request.operations().size(); i++) {
                operations.add(madeUp(BULKY));
            }
            bulky.put(request.first(), operations);
        }
        Request greedy = new Request(
                request.client(),
                request.epoch(),
                1,
                request.first(),
                -1,
                operations == null ? request.operations() : operations);
        lie("hoard", to, node.sealer().seal(greedy).message(), Optional.of(instead));
    }

    private void keep(Message message) {
        if (kept.size() < KEPT_MAX) {
            kept.add(message);
        } else {
            kept.set((int) (ticks % KEPT_MAX), message);
        }
    }

    /** A request under the same session with other operations, properly signed. */
    private Signed<Request> changed(Request request, long first) {
        List<Bytes> operations = new ArrayList<>();
        for (int i = 0; i < request.operations().size(); i++) {
            operations.add(madeUp(""));
        }
        return node.sealer()
                .seal(new Request(
                        request.client(), request.epoch(), request.lowest(), first, request.replier(), operations))
                .message();
    }

    private Bytes madeUp(String more) {
        long number = -1 - madeUp++ - (long) MADE_UP_MAX * node.index();
        Call call = new Call(number, "put", "k" + Math.floorMod(number, 5), "lie" + number + more, "");
        Bytes operation = call.encode();
        watch.invoked(node.index(), false, call, operation, false);
        return operation;
    }

    private void tick() {
        ticks++;
        if (kept.isEmpty()) {
            return;
        }
        if (isOn("replay")) {
            again("replay", 1);
        }
        if (isOn("flood")) {
            again("flood", FLOOD_PER_TICK);
        }
        if (isOn("greedy")) {
            askForMore();
        }
    }

    /** Requests that are as good as anybody's, in a session of their own, without waiting for an answer to any. */
    private void askForMore() {
        Request own = (Request) ((Signed<?>) kept.get(0)).statement();
        for (int i = 0; i < GREEDY_PER_TICK && greedy < GREEDY_MAX; i++) {
            greedy++;
            long number = -GREEDY_NUMBERS - greedy - (long) GREEDY_MAX * node.index();
            Call call = new Call(number, "get", "greedy", "", "");
            Bytes operation = call.encode();
            watch.invoked(node.index(), false, call, operation, false);
            Message request = node.sealer()
                    .seal(new Request(own.client(), own.epoch() + 1, 1, greedy, -1, List.of(operation)))
                    .message();
            for (int to = 0; to < world.options().replicas(); to++) {
                lie("greedy", to, request);
            }
        }
    }

    private void again(String name, int times) {
        for (int i = 0; i < times; i++) {
            long about = Mix.mix(ticks, i);
            long chance = world.keyed().bits(Fault.MUTATE, about, node.endpoint());
            int to = (int) Long.remainderUnsigned(chance, world.options().replicas());
            if (dares(0.6, about)) {
                Message message = kept.get((int) Long.remainderUnsigned(chance >>> 16, kept.size()));
                Request request = (Request) ((Signed<?>) message).statement();
                if (name.equals("flood") && (chance >>> 60) < 4 && canMakeUp(request)) {
                    message = changed(request, request.first() + 1 + (chance >>> 20 & 15));
                }
                lie(name, to, message);
            }
        }
    }
}
