package io.pbft.replica;

import static io.pbft.replica.DriverBench.TICK;
import static io.pbft.replica.DriverBench.batch;
import static io.pbft.replica.DriverBench.machine;
import static io.pbft.replica.DriverBench.signed;
import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Limits;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Signed;
import io.pbft.protocol.SigningPayload;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Event;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.ResultRoom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ReplicaDriverTest {
    private static final Batch BATCH = batch(0, 1, "put");

    private static Effect propose(long seq) {
        return new Effect.Bind(new Promise.Propose(new PrePrepare(0, seq, BATCH.digest(), 0), BATCH));
    }

    private static Effect vouch(long seq) {
        return new Effect.Bind(new Promise.Vouch(new Checkpoint(seq, Digest.ZERO, 0)));
    }

    private static Effect.Execute execute(long seq, String... operations) {
        List<Effect.Call> calls = new ArrayList<>();
        for (String operation : operations) {
            calls.add(new Effect.Call(1, Bytes.utf8(operation)));
        }
        return new Effect.Execute(seq, 5_000 + seq, Digest.of(Bytes.utf8("seed")), calls, ResultRoom.UNBOUNDED);
    }

    @Test
    void aPromiseLeavesAndComesBackOnlyOnceItIsDurable() {
        DriverBench bench = DriverBench.emitting(DriverBench.IDLE, propose(1));
        bench.driver.handle(TICK);

        assertThat(bench.sent).isEmpty();
        assertThat(bench.core.inputs).containsExactly(TICK);
        assertThat(bench.journal.durable).isEmpty();

        bench.journal.sync();
        assertThat(bench.journal.load()).singleElement().satisfies(entry -> {
            assertThat(entry.kind()).isEqualTo(Kind.PROPOSAL);
            assertThat(entry.seq()).isEqualTo(1);
            assertThat(Codec.decode(entry.content()))
                    .isEqualTo(bench.sent.get(0).message());
        });
        assertThat(bench.sent)
                .singleElement()
                .satisfies(sent -> assertThat(sent.to()).isEqualTo("all"));
        Input.Received own = bench.core.learned(Input.Received.class).get(0);
        assertThat(own.message().from()).isEqualTo(NodeId.replica(0));
        assertThat(own.message().message()).isEqualTo(bench.sent.get(0).message());
    }

    @Test
    void promisesKeepTheirOrderWhileOtherMessagesDoNotWaitForThem() {
        Status status = new Status(0, false, 0, 0, false);
        DriverBench bench =
                DriverBench.emitting(DriverBench.IDLE, propose(1), vouch(5), new Effect.Broadcast(status), propose(2));
        bench.driver.handle(TICK);
        assertThat(bench.sent).extracting(sent -> sent.message().type()).containsExactly(MessageType.STATUS);

        bench.journal.syncOne();
        assertThat(bench.sent)
                .extracting(sent -> sent.message().type())
                .containsExactly(MessageType.STATUS, MessageType.PROPOSAL);
        bench.journal.sync();
        assertThat(bench.sent)
                .extracting(sent -> sent.message().type())
                .containsExactly(
                        MessageType.STATUS, MessageType.PROPOSAL, MessageType.CHECKPOINT, MessageType.PROPOSAL);
        assertThat(bench.core.learned(Input.Received.class))
                .extracting(received -> received.message().type())
                .containsExactly(MessageType.PROPOSAL, MessageType.CHECKPOINT, MessageType.PROPOSAL);
    }

    @Test
    void eachPromiseIsWrittenWithItsEvidence() {
        Proposal proposal = new Proposal(signed(new PrePrepare(1, 7, BATCH.digest(), 1)), BATCH);
        Prepare prepare = new Prepare(1, 7, BATCH.digest(), 0);
        PreparedCertificate certificate = new PreparedCertificate(
                proposal.prePrepare(), List.of(signed(prepare), signed(new Prepare(1, 7, BATCH.digest(), 2))));
        ViewChange viewChange = new ViewChange(4, CheckpointCertificate.GENESIS, List.of(certificate), 0);
        List<Signed<ViewChange>> viewChanges = List.of(signed(viewChange));
        DriverBench bench = DriverBench.emitting(
                DriverBench.IDLE,
                new Effect.Bind(new Promise.AgreeTo(prepare, proposal)),
                new Effect.Bind(new Promise.CommitTo(new Commit(1, 7, BATCH.digest(), 0), certificate)),
                vouch(128),
                new Effect.Bind(new Promise.LeaveView(viewChange)),
                new Effect.Bind(new Promise.LeadView(
                        4, viewChanges, List.of(new PrePrepare(4, 7, BATCH.digest(), 0)), List.of(BATCH))));
        bench.driver.handle(TICK);
        bench.journal.sync();

        assertThat(bench.halts).isEmpty();
        assertThat(bench.journal.load())
                .extracting(entry -> entry.kind() + " " + entry.seq() + " " + entry.view())
                .containsExactly(
                        "PROPOSAL 7 1",
                        "PROPOSAL 7 4",
                        "PREPARED 7 1",
                        "PREPARE 7 1",
                        "COMMIT 7 1",
                        "CHECKPOINT 128 0",
                        "VIEW_CHANGE 0 0",
                        "NEW_VIEW 0 0");
        Signed<NewView> newView = ((Signed<?>) bench.sent.get(4).message()).as(NewView.class);
        assertThat(newView.statement().proposals())
                .singleElement()
                .satisfies(signed -> assertThat(DriverBench.SCHEME.verify(
                                DriverBench.signer(NodeId.replica(0)).publicKey(),
                                SigningPayload.of(DriverBench.CLUSTER, signed.statement()),
                                signed.signature()))
                        .isTrue());
    }

    @Test
    void enteringAViewIsDurableBeforeTheVotesInItAndSendsNothing() {
        Signed<NewView> newView = signed(new NewView(1, List.of(), List.of(), 1));
        DriverBench bench =
                DriverBench.emitting(DriverBench.IDLE, new Effect.Bind(new Promise.EnterView(newView)), vouch(128));
        bench.driver.handle(TICK);
        bench.journal.syncOne();
        assertThat(bench.sent).isEmpty();
        assertThat(bench.core.inputs).hasSize(1);
        assertThat(bench.journal.load())
                .singleElement()
                .satisfies(entry -> assertThat(Codec.decode(entry.content())).isEqualTo(newView));
        bench.journal.sync();
        assertThat(bench.sent).hasSize(1);
    }

    @Test
    void executionsRunInOrderAndTheCoreLearnsThemAfterTheStepThatAskedForThem() {
        List<String> ran = new ArrayList<>();
        DriverBench bench = DriverBench.emitting(
                machine((operation, state) -> {
                    ran.add(operation.payload().toUtf8() + "@" + operation.seq() + "," + operation.timeMillis());
                    return operation.payload();
                }),
                execute(1, "a", "b"),
                execute(2, "c"));
        bench.driver.handle(TICK);
        assertThat(ran).containsExactly("a@1,5001", "b@1,5001", "c@2,5002");
        assertThat(bench.core.inputs)
                .containsExactly(
                        TICK,
                        new Input.Executed(
                                1,
                                List.of(
                                        new Input.Result(Outcome.EXECUTED, Bytes.utf8("a")),
                                        new Input.Result(Outcome.EXECUTED, Bytes.utf8("b")))),
                        new Input.Executed(2, List.of(new Input.Result(Outcome.EXECUTED, Bytes.utf8("c")))));
    }

    @Test
    void aLongChainOfCausesDoesNotRecurse() {
        AtomicInteger left = new AtomicInteger(100_000);
        DriverBench bench = new DriverBench(
                input -> left.getAndDecrement() > 0 ? List.of(execute(left.get(), "again")) : List.of());
        bench.driver.handle(TICK);
        assertThat(bench.halts).isEmpty();
        assertThat(bench.core.inputs).hasSize(100_001);
    }

    @Test
    void aFailingOperationLeavesNothingBehindAndTheOthersGoOn() {
        Bytes kept = Bytes.utf8("kept");
        Bytes made = Bytes.utf8("made");
        DriverBench bench = DriverBench.emitting(
                machine((operation, state) -> {
                    if (operation.payload().toUtf8().equals("fail")) {
                        state.put(kept, Bytes.utf8("overwritten"));
                        state.put(made, Bytes.utf8("1"));
                        state.put(made, Bytes.utf8("2"));
                        state.delete(kept);
                        throw new IllegalArgumentException("no such account");
                    }
                    state.put(kept, operation.payload());
                    return state.get(made).orElse(Bytes.utf8("nothing"));
                }),
                execute(1, "first", "fail"),
                execute(2, "fail", "last"));
        bench.driver.handle(TICK);
        assertThat(bench.store.state.entries).isEqualTo(Map.of(kept, Bytes.utf8("last")));
        assertThat(bench.core.learned(Input.Executed.class))
                .last()
                .satisfies(executed -> assertThat(executed.results())
                        .containsExactly(
                                new Input.Result(Outcome.FAILED, Bytes.utf8("no such account")),
                                new Input.Result(Outcome.EXECUTED, Bytes.utf8("nothing"))));
    }

    @Test
    void anOperationWhoseResultFindsNoRoomLeavesNoTrace() {
        Effect.Execute roomy = execute(1, "a", "b", "c");
        ResultRoom room = new ResultRoom(100, 100, 100, 0, new TreeMap<>(Map.of(1, 20L)));
        DriverBench bench = DriverBench.emitting(
                machine((operation, state) -> {
                    state.put(operation.payload(), Bytes.EMPTY);
                    return Bytes.wrap(new byte[operation.payload().equals(Bytes.utf8("c")) ? 64 : 70]);
                }),
                new Effect.Execute(1, roomy.timeMillis(), roomy.seed(), roomy.calls(), room));
        bench.driver.handle(TICK);
        assertThat(bench.core.learned(Input.Executed.class).get(0).results())
                .extracting(Input.Result::outcome)
                .containsExactly(Outcome.EXECUTED, Outcome.RESULTS_FULL, Outcome.EXECUTED);
        assertThat(bench.store.state.entries).containsOnlyKeys(Bytes.utf8("a"), Bytes.utf8("c"));
    }

    @Test
    void theLimitsOfKeysValuesAndResultsAreTheSameForEveryStateMachine() {
        Bytes longKey = Bytes.wrap(new byte[Limits.KEY_BYTES_MAX + 1]);
        DriverBench bench = DriverBench.emitting(
                machine((operation, state) -> switch (operation.payload().toUtf8()) {
                    case "key" -> {
                        state.put(longKey, Bytes.EMPTY);
                        yield Bytes.EMPTY;
                    }
                    case "no key" -> {
                        state.put(Bytes.EMPTY, Bytes.EMPTY);
                        yield Bytes.EMPTY;
                    }
                    case "value" -> {
                        state.put(Bytes.utf8("k"), Bytes.wrap(new byte[Limits.VALUE_BYTES_MAX + 1]));
                        yield Bytes.EMPTY;
                    }
                    case "result" -> {
                        state.put(Bytes.utf8("k"), Bytes.EMPTY);
                        yield Bytes.wrap(new byte[Limits.RESULT_BYTES_MAX + 1]);
                    }
                    default -> state.get(longKey).orElse(Bytes.utf8("none"));
                }),
                execute(1, "key", "no key", "value", "result", "get"));
        bench.driver.handle(TICK);
        assertThat(bench.core.learned(Input.Executed.class).get(0).results())
                .extracting(Input.Result::outcome)
                .containsExactly(Outcome.FAILED, Outcome.FAILED, Outcome.FAILED, Outcome.FAILED, Outcome.EXECUTED);
        assertThat(bench.store.state.entries).isEmpty();
    }

    @Test
    void whatThePlatformWordsDifferentlyFromVersionToVersionIsNotPartOfAResult() {
        assertThat(OperationRunner.describe(new NullPointerException("Cannot invoke because \"<local4>\" is null")))
                .isEqualTo("java.lang.NullPointerException");
        assertThat(OperationRunner.describe(new NumberFormatException("For input string: \"x\" under radix 16")))
                .isEqualTo("java.lang.NumberFormatException");
        assertThat(OperationRunner.describe(new IllegalStateException("closed")))
                .isEqualTo("closed");
        assertThat(OperationRunner.describe(new IllegalStateException())).isEqualTo("java.lang.IllegalStateException");
        assertThat(OperationRunner.describe(new IllegalStateException("\ud83d\ude80".repeat(1_000))))
                .isEqualTo("\ud83d\ude80".repeat(OperationRunner.FAILURE_CHARS_MAX));
    }

    @Test
    void anErrorOfTheStateMachineHalts() {
        DriverBench bench = DriverBench.emitting(
                machine((operation, state) -> {
                    throw new StackOverflowError();
                }),
                execute(1, "x"),
                new Effect.Broadcast(new Status(0, false, 0, 0, false)));
        bench.driver.handle(TICK);
        assertThat(bench.halts).singleElement().isInstanceOf(StackOverflowError.class);
        assertThat(bench.sent).isEmpty();
        assertThat(bench.core.inputs).containsExactly(TICK);
    }

    @Test
    void aStateMachineCannotMakeAResultOutOfABrokenDisk() {
        DriverBench bench = DriverBench.emitting(
                machine((operation, state) -> {
                    try {
                        return state.get(operation.payload()).orElse(Bytes.EMPTY);
                    } catch (RuntimeException e) {
                        return Bytes.utf8("swallowed");
                    }
                }),
                execute(1, "x"));
        bench.store.state.failure = new StorageFailure("the disk is gone");
        bench.driver.handle(TICK);
        assertThat(bench.halts).containsExactly(bench.store.state.failure);
        assertThat(bench.core.learned(Input.Executed.class)).isEmpty();
    }

    @Test
    void nothingLeavesAndNothingIsTakenOnceHalted() {
        DriverBench bench = DriverBench.emitting(DriverBench.IDLE, propose(1), propose(2));
        bench.driver.handle(TICK);
        bench.journal.syncOne();
        assertThat(bench.sent).hasSize(1);

        StorageFailure failure = new StorageFailure("the journal cannot be written");
        bench.driver.halt(failure);
        bench.driver.halt(new StorageFailure("again"));
        bench.journal.sync();
        bench.driver.handle(TICK);
        assertThat(bench.halts).containsExactly(failure);
        assertThat(bench.driver.halted()).isTrue();
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.core.inputs).hasSize(2);
    }

    @Test
    void aBrokenInvariantOfTheCoreHalts() {
        DriverBench bench = new DriverBench(input -> {
            throw new IllegalStateException("two batches at one sequence number");
        });
        bench.driver.handle(TICK);
        assertThat(bench.halts).singleElement().isInstanceOf(IllegalStateException.class);
    }

    @Test
    void repliesOfABatchShareOneSignatureAndEachClientGetsItsOwnLeaves() {
        List<Effect.Answer> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            answers.add(new Effect.Answer(
                    i % 2,
                    77,
                    i,
                    9,
                    5_009,
                    Digest.of(Bytes.utf8("op" + i)),
                    Outcome.EXECUTED,
                    Bytes.utf8("result" + i),
                    i != 4));
        }
        DriverBench bench = DriverBench.emitting(DriverBench.IDLE, new Effect.Reply(3, answers));
        bench.driver.handle(TICK);

        assertThat(bench.sent).extracting(DriverBench.Sent::to).containsExactly("client-0", "client-1");
        List<Reply> replies =
                bench.sent.stream().map(sent -> (Reply) sent.message()).toList();
        Signed<ReplyRoot> root = replies.get(0).root();
        assertThat(replies.get(1).root()).isEqualTo(root);
        assertThat(root.statement()).isEqualTo(new ReplyRoot(3, root.statement().root(), 5, 0));
        assertThat(DriverBench.SCHEME.verify(
                        DriverBench.signer(NodeId.replica(0)).publicKey(),
                        SigningPayload.of(DriverBench.CLUSTER, root.statement()),
                        root.signature()))
                .isTrue();
        assertThat(replies.get(0).items()).extracting(Reply.Item::index).containsExactly(0, 2, 4);
        for (Reply reply : replies) {
            for (Reply.Item item : reply.items()) {
                assertThat(MerkleTree.verify(
                                root.statement().root(),
                                MerkleTree.leafHash(Codec.leafBytes(item.leaf())),
                                item.index(),
                                5,
                                item.path()))
                        .isTrue();
                assertThat(item.leaf().result()).isEqualTo(Digest.of(Bytes.utf8("result" + item.index())));
                assertThat(item.result().isPresent()).isEqualTo(item.index() != 4);
            }
        }
    }

    @Test
    void aClientsLargeShareTravelsInSeveralMessages() {
        Bytes large = Bytes.wrap(new byte[Limits.RESULT_BYTES_MAX]);
        List<Effect.Answer> answers = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            answers.add(new Effect.Answer(0, 77, i, 9, 5_009, Digest.ZERO, Outcome.EXECUTED, large, true));
        }
        DriverBench bench = DriverBench.emitting(DriverBench.IDLE, new Effect.Reply(0, answers));
        bench.driver.handle(TICK);
        assertThat(bench.sent)
                .extracting(sent -> ((Reply) sent.message()).items().size())
                .containsExactly(4, 4, 1);
        assertThat(bench.sent)
                .allSatisfy(sent ->
                        assertThat(Codec.encode(sent.message()).length).isLessThan(2 * ReplySealer.REPLY_BYTES_MAX));
    }

    @Test
    void aQueryReadsTheStateAndCannotChangeIt() {
        StateMachine cheating = new StateMachine() {
            @Override
            public Bytes apply(Operation operation, io.pbft.checkpoint.State state) {
                return Bytes.EMPTY;
            }

            @Override
            public Bytes query(Operation operation, io.pbft.checkpoint.StateView state) {
                if (operation.payload().toUtf8().equals("cheat")) {
                    ((io.pbft.checkpoint.State) state).put(Bytes.utf8("k"), Bytes.utf8("forged"));
                }
                return state.get(Bytes.utf8("k")).orElseThrow();
            }
        };
        DriverBench bench = DriverBench.emitting(
                cheating,
                new Effect.Query(1, 11, 4, 400, true, Bytes.utf8("read")),
                new Effect.Query(1, 12, 4, 400, false, Bytes.utf8("read")),
                new Effect.Query(1, 13, 4, 400, true, Bytes.utf8("cheat")));
        bench.store.state.put(Bytes.utf8("k"), Bytes.utf8("v"));
        bench.driver.handle(TICK);
        Digest value = Digest.of(Bytes.utf8("v"));
        assertThat(bench.sent)
                .startsWith(
                        new DriverBench.Sent(
                                "client-1",
                                new ReadReply(11, 4, 400, Outcome.EXECUTED, value, Optional.of(Bytes.utf8("v")))),
                        new DriverBench.Sent(
                                "client-1", new ReadReply(12, 4, 400, Outcome.EXECUTED, value, Optional.empty())));
        assertThat(((ReadReply) bench.sent.get(2).message()).outcome()).isEqualTo(Outcome.FAILED);
        assertThat(bench.store.state.entries).containsEntry(Bytes.utf8("k"), Bytes.utf8("v"));
    }

    @Test
    void aProofIsKeptAndNothingIsTruncatedForIt() {
        CheckpointCertificate stable = new CheckpointCertificate(128, Digest.ZERO, List.of());
        DriverBench bench = DriverBench.emitting(DriverBench.IDLE, new Effect.KeepProof(stable));
        bench.driver.handle(TICK);
        bench.journal.sync();
        assertThat(bench.journal.load())
                .singleElement()
                .satisfies(entry -> assertThat(Codec.decodeCheckpointCertificate(entry.content()))
                        .isEqualTo(stable));
        assertThat(bench.journal.truncations).isEmpty();
        assertThat(bench.store.released).isEmpty();
    }

    @Test
    void checkpointsNotesAndAccusationsFindTheirWay() {
        CheckpointCertificate stable = new CheckpointCertificate(128, Digest.ZERO, List.of());
        Effect.Note note = new Effect.Note(Event.CHECKPOINT_STABLE, 0, 128, "");
        Signed<?> first = signed(new Prepare(0, 1, Digest.ZERO, 2));
        Signed<?> second = signed(new Prepare(0, 1, BATCH.digest(), 2));
        DriverBench bench = DriverBench.emitting(
                DriverBench.IDLE,
                new Effect.TakeSnapshot(128, Map.of(Bytes.utf8("time"), Optional.of(Bytes.utf8("9")))),
                new Effect.Truncate(stable),
                note,
                new Effect.Accuse(first, second));
        bench.driver.handle(TICK);
        bench.journal.sync();
        assertThat(bench.core.learned(Input.SnapshotTaken.class))
                .containsExactly(new Input.SnapshotTaken(128, bench.store.root()));
        assertThat(bench.store.systemEntries()).hasSize(1);
        assertThat(bench.journal.load())
                .singleElement()
                .satisfies(entry -> assertThat(Codec.decodeCheckpointCertificate(entry.content()))
                        .isEqualTo(stable));
        assertThat(bench.journal.truncations).containsExactly(128L);
        assertThat(bench.store.released).containsExactly(128L);
        assertThat(bench.notes).containsExactly(note);
        assertThat(bench.accused).containsExactly(first, second);
    }
}
