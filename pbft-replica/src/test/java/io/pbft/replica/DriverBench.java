package io.pbft.replica;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Input;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A driver with everything around it faked, and a cluster of four with two clients to speak in. */
public final class DriverBench {
    public static final Digest CLUSTER = Digest.of(Bytes.utf8("a cluster of tests"));
    public static final Config CONFIG = new Config(0, new Quorum(4), 2, ProtocolParameters.DEFAULT);
    public static final Ed25519 SCHEME = new Ed25519();
    private static final VerifierContext CONTEXT = new VerifierContext(
            CLUSTER,
            new Quorum(4),
            List.of(key(NodeId.replica(0)), key(NodeId.replica(1)), key(NodeId.replica(2)), key(NodeId.replica(3))),
            List.of(key(NodeId.client(0)), key(NodeId.client(1))),
            ProtocolParameters.DEFAULT,
            Optional.of(NodeId.replica(0)));
    public static final Verifier VERIFIER = verifier(SCHEME);
    public static final Input TICK = new Input.Tick(1_000);

    public final FakeJournal journal = new FakeJournal();
    public final FakeStore store = new FakeStore();
    public final List<Sent> sent = new ArrayList<>();
    public final List<Effect.Note> notes = new ArrayList<>();
    public final List<Signed<?>> accused = new ArrayList<>();
    public final List<Throwable> halts = new ArrayList<>();
    public final ScriptedCore core;
    public final ReplicaDriver driver;

    /** What left, in order; a broadcast has no receiver. */
    public record Sent(String to, Message message) {}

    /** A state machine that does nothing. */
    public static final StateMachine IDLE = machine((operation, state) -> Bytes.EMPTY);

    /** How a test writes a state machine. */
    public interface Apply {
        Bytes apply(Operation operation, io.pbft.checkpoint.State state);
    }

    public DriverBench(Function<Input, List<Effect>> script) {
        this(script, IDLE);
    }

    public DriverBench(Function<Input, List<Effect>> script, StateMachine stateMachine) {
        core = new ScriptedCore(script);
        driver = new ReplicaDriver(CONFIG, core, seams(stateMachine));
    }

    /** A driver whose core emits {@code effects} at its first input and nothing afterwards. */
    public static DriverBench emitting(StateMachine stateMachine, Effect... effects) {
        List<Effect> once = new ArrayList<>(List.of(effects));
        return new DriverBench(
                input -> {
                    List<Effect> now = List.copyOf(once);
                    once.clear();
                    return now;
                },
                stateMachine);
    }

    private ReplicaDriver.Seams seams(StateMachine stateMachine) {
        Outbox outbox = new Outbox() {
            @Override
            public void send(NodeId to, Message message) {
                sent.add(new Sent(to.toString(), message));
            }

            @Override
            public void broadcast(Message message) {
                sent.add(new Sent("all", message));
            }
        };
        DriverListener listener = new DriverListener() {
            @Override
            public void note(Effect.Note note) {
                notes.add(note);
            }

            @Override
            public void accuse(Signed<?> first, Signed<?> second) {
                accused.add(first);
                accused.add(second);
            }

            @Override
            public void halted(Throwable cause) {
                halts.add(cause);
            }
        };
        return new ReplicaDriver.Seams(
                sealer(NodeId.replica(0)), journal, store, stateMachine, outbox, listener, Runnable::run);
    }

    public static StateMachine machine(Apply apply) {
        return new StateMachine() {
            @Override
            public Bytes apply(Operation operation, io.pbft.checkpoint.State state) {
                return apply.apply(operation, state);
            }

            @Override
            public Bytes query(Operation operation, io.pbft.checkpoint.StateView state) {
                return state.get(operation.payload()).orElse(Bytes.EMPTY);
            }
        };
    }

    public static Signer signer(NodeId node) {
        byte[] seed = new byte[Ed25519.PRIVATE_KEY_SIZE];
        seed[0] = (byte) node.index();
        seed[1] = (byte) (node.isReplica() ? 0 : 1);
        return SCHEME.signer(Bytes.wrap(seed));
    }

    public static PublicKey key(NodeId node) {
        return signer(node).publicKey();
    }

    public static Sealer sealer(NodeId node) {
        return new Sealer(CLUSTER, node, signer(node));
    }

    public static <S extends Statement> Signed<S> signed(S statement) {
        return sealer(statement.signer()).seal(statement).message();
    }

    public static Batch batch(int client, long number, String operation) {
        return new Batch(
                1_000,
                List.of(signed(new Request(client, 1L << 20, number, number, -1, List.of(Bytes.utf8(operation))))));
    }

    /** A verifier of this cluster's messages by another scheme. */
    public static Verifier verifier(SignatureScheme scheme) {
        return new Verifier(CONTEXT, scheme, 1_000);
    }
}
