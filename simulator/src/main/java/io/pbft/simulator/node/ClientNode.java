package io.pbft.simulator.node;

import io.pbft.client.core.Answer;
import io.pbft.client.core.ClientCore;
import io.pbft.client.core.Config;
import io.pbft.client.core.Effect;
import io.pbft.client.core.Effects;
import io.pbft.client.core.Failure;
import io.pbft.client.core.Input;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import io.pbft.simulator.check.Probes;
import io.pbft.simulator.workload.Application;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.KeyModel;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.Network;
import io.pbft.simulator.world.Parcel;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One client of the world: the real core, and somebody who asks it for one operation after another, with pauses, a few at a time.
 * NOT thread-safe.
 */
public final class ClientNode implements Network.Endpoint {
    /** Operations of one client that wait for their answers at the same time, at most. */
    private static final int OUTSTANDING_MAX = 3;

    /** Carries a client's messages to the network, changed or not. */
    @FunctionalInterface
    public interface Outbox {
        void send(int to, Message message);
    }

    private final World world;
    private final NodeId node;
    private final String name;
    private final int index;
    private final Sealer sealer;
    private final boolean correct;
    private final Verifier verifier;
    private final Watch watch;
    private final Application application;
    private final ClientCore core;
    private final Effects effects = new Effects();
    private final int endpoint;
    private final Map<Long, Signed<Request>> signed = new TreeMap<>();

    /** What waits for an answer, by ticket. A ticket is the operation's number. */
    private final Map<Long, Call> waiting = new TreeMap<>();

    private final Map<Long, Long> askedMicros = new TreeMap<>();
    private final Set<Long> fastTickets = new TreeSet<>();
    private Outbox outbox;
    private Runnable onTick = () -> {};
    private long next;
    private long done;
    private long sessions;
    /** Whether it wants to ask and waits until it may. */
    private boolean blocked;

    public ClientNode(World world, int index, boolean correct, Application application, Watch watch) {
        this.world = world;
        this.node = NodeId.client(index);
        this.name = "c" + index;
        this.index = index;
        this.correct = correct;
        this.application = application;
        this.watch = watch;
        this.sealer = world.takeSealer(NodeId.client(index));
        this.verifier = world.verifierOf(NodeId.client(index));
        this.core = new ClientCore(
                Config.of(index, world.options().quorum(), world.options().parameters()), newEpoch());
        this.endpoint = world.network().add(this);
        this.outbox = (to, message) -> world.network().send(endpoint, NodeId.replica(to), message, 0);
        this.next = index;
    }

    private long newEpoch() {
        long wall = World.WALL_MILLIS + world.now() / 1_000 + sessions++;
        return wall << 20 | (world.keyed().bits(Fault.KEY, ~index, sessions) & 0xfffff);
    }

    @Override
    public NodeId node() {
        return node;
    }

    @Override
    public String name() {
        return name;
    }

    public int index() {
        return index;
    }

    public int endpoint() {
        return endpoint;
    }

    public Sealer sealer() {
        return sealer;
    }

    public boolean correct() {
        return correct;
    }

    @Override
    public boolean faulty() {
        return !correct;
    }

    @Override
    public boolean reachableFrom(int from, long now) {
        return true;
    }

    public void corrupt(Outbox mouth, Runnable everyTick) {
        outbox = mouth;
        onTick = everyTick;
    }

    /** Whether it has asked for everything and has been answered. */
    public boolean isDone() {
        return next >= world.options().ops() && waiting.isEmpty();
    }

    /** Operations that were answered. */
    public long done() {
        return done;
    }

    public int waiting() {
        return waiting.size();
    }

    /** Begins to tick and to ask. */
    public void start() {
        tickLater();
        askLater();
    }

    private void tickLater() {
        world.events().after(world.options().parameters().tickMillis() * 1_000L, () -> {
            onTick.run();
            step(new Input.Tick());
            if (!isDone()) {
                tickLater();
            }
        });
    }

    private void askLater() {
        long think = world.options().thinkMicros();
        long pause = world.keyed().between(Fault.WORKLOAD, next, 5, think / 4, think * 7 / 4);
        world.events().after(pause, this::ask);
    }

    private void ask() {
        if (next >= world.options().ops()) {
            return;
        }
        if (waiting.size() >= OUTSTANDING_MAX) {
            blocked = true;
            return;
        }
        Call call = application.call(next);
        boolean fast = call.isRead() && application.fast(next);
        next += world.options().clients();
        waiting.put(call.number(), call);
        askedMicros.put(call.number(), world.now());
        Bytes operation = call.encode();
        watch.invoked(index, correct, call, operation, fast);
        world.trace().event(fast ? "read" : "ask", name(), call.number(), 0, operation.toUtf8());
        if (fast) {
            fastTickets.add(call.number());
            step(new Input.Read(call.number(), operation, true));
        } else {
            step(new Input.Submit(call.number(), operation));
        }
        askLater();
    }

    @Override
    public void deliver(Parcel parcel) {
        if (verdict(parcel).orElse(null) instanceof Verdict.Accepted accepted) {
            step(new Input.Received(accepted.message()));
        }
    }

    @Override
    public void deliverSpoilt(Parcel parcel) {
        verdict(parcel);
    }

    private Optional<Verdict> verdict(Parcel parcel) {
        try {
            Verdict verdict = parcel.verdict(verifier);
            if (verdict instanceof Verdict.Rejected rejected) {
                world.probe(Probes.rejected(rejected.reason()));
            }
            return Optional.of(verdict);
        } catch (RuntimeException e) {
            watch.failed(name(), e);
            return Optional.empty();
        }
    }

    private void step(Input input) {
        try {
            core.step(input, effects);
        } catch (RuntimeException e) {
            watch.failed(name(), e);
            return;
        }
        for (Effect effect : effects.drain()) {
            carryOut(effect);
        }
    }

    private void carryOut(Effect effect) {
        if (effect instanceof Effect.SendRequest e) {
            Signed<Request> request = signed.computeIfAbsent(
                    e.request().first(), first -> sealer.seal(e.request()).message());
            e.to().forEach(replica -> outbox.send(replica, request));
        } else if (effect instanceof Effect.ForgetRequest e) {
            signed.remove(e.first());
        } else if (effect instanceof Effect.Send e) {
            outbox.send(e.to(), e.message());
        } else if (effect instanceof Effect.Complete e) {
            complete(e.ticket(), e.answer());
        } else if (effect instanceof Effect.CompleteRead e) {
            KeyModel.Answer answer = new KeyModel.Answer(
                    e.answer().outcome() == Outcome.FAILED, e.answer().result().toUtf8());
            finish(e.ticket(), Optional.of(answer), 0);
        } else if (effect instanceof Effect.Fail e) {
            fail(e.ticket(), e.failure());
        } else if (effect instanceof Effect.BeginSession e) {
            world.probe("session ended: " + e.reason());
            signed.clear();
            step(new Input.SessionBegan(newEpoch()));
        }
    }

    private void complete(long ticket, Answer answer) {
        Call call = waiting.get(ticket);
        if (call == null) {
            return;
        }
        if (correct) {
            ReceiptCheck.faults(call, answer, verifier, world.options().quorum())
                    .forEach(fault -> watch.badReceipt(index, fault));
        }
        Outcome outcome = answer.leaf().outcome();
        if (outcome == Outcome.EXECUTED || outcome == Outcome.FAILED) {
            KeyModel.Answer told = new KeyModel.Answer(
                    outcome == Outcome.FAILED, answer.result().toUtf8());
            finish(ticket, Optional.of(told), answer.leaf().seq());
        } else {
            world.probe("answered " + outcome);
            withdraw(ticket);
        }
    }

    private void fail(long ticket, Failure failure) {
        world.probe("failed " + failure);
        switch (failure) {
            case NOT_SENT, OVERLOADED, READ_UNANSWERED -> withdraw(ticket);
            case UNKNOWN, SESSION_LOST, GIVEN_UP -> finish(ticket, Optional.empty(), 0);
        }
    }

    private void withdraw(long ticket) {
        Call call = waiting.get(ticket);
        if (call != null && correct) {
            watch.withdrawn(index, call);
        }
        finish(ticket, Optional.empty(), 0);
    }

    private void finish(long ticket, Optional<KeyModel.Answer> answer, long seq) {
        Call call = waiting.remove(ticket);
        if (call == null) {
            return;
        }
        boolean ordered = !fastTickets.remove(ticket) || seq > 0;
        done++;
        long asked = Objects.requireNonNull(askedMicros.remove(ticket));
        if (answer.isPresent()) {
            world.answered(world.now() - asked);
        }
        String text =
                answer.map(a -> (a.failed() ? "refused: " : "") + a.text()).orElse("outcome unknown");
        world.trace().event(ordered ? "answer" : "read-answer", name(), ticket, seq, text);
        if (correct) {
            answer.ifPresent(a -> watch.returned(index, call, a, seq));
        }
        if (blocked) {
            blocked = false;
            askLater();
        }
    }
}
