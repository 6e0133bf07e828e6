package io.pbft.client.core;

import static io.pbft.client.testing.TestCluster.large;
import static io.pbft.client.testing.TestCluster.leaf;
import static io.pbft.client.testing.TestCluster.leaves;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import io.pbft.protocol.Message;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyFetch;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.Request;
import io.pbft.protocol.Status;
import io.pbft.protocol.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Build, step, compare effects. Every reply here is signed, encoded, decoded and verified for real. */
class ClientCoreTest {
    private static final long EPOCH = 1_000;
    private static final long NONCE = ClientCore.nonceBefore(EPOCH);
    private static final Bytes OP = Bytes.utf8("op");
    private static final UnaryOperator<Bytes> MACHINE = TestCluster::reverse;

    private final TestCluster cluster = new TestCluster(4);
    private final Config config = Config.of(0, cluster.quorum(), ProtocolParameters.DEFAULT);
    private ClientCore core = new ClientCore(config, EPOCH);
    private final Effects effects = new Effects();

    // ---- sending ----

    @Test
    void anIdleClientSendsAnOperationAtOnceAndToThePrimaryAlone() {
        List<Effect> out = submit(1, OP);

        Request request = new Request(0, EPOCH, 1, 1, -1, List.of(OP));
        assertThat(out).containsExactly(new Effect.SendRequest(List.of(0), request));
    }

    @Test
    void fewOperationsGoAtOnceAndManyWhenMoreWaitsThanIsInFlightOrAtTheNextTick() {
        int few = ClientCore.FEW_OPERATIONS;
        assertThat(operations(submit(1, 1))).hasSize(1);
        assertThat(operations(submit(2, few))).hasSize(few);

        int inFlight = few + 1;
        assertThat(submit(100, inFlight)).isEmpty();
        assertThat(operations(submit(200, 1))).hasSize(inFlight + 1);

        assertThat(submit(300, 1)).isEmpty();
        assertThat(operations(step(new Input.Tick()))).hasSize(1);
    }

    @Test
    void anAnswerLetsGoWhatWaitedForIt() {
        int few = ClientCore.FEW_OPERATIONS;
        onlyRequest(submit(1, few));
        Request second = onlyRequest(submit(100, few + 1));
        assertThat(submit(200, few + 1)).isEmpty();

        assertThat(operations(answer(second, 0, 1))).hasSize(few + 1);
    }

    @Test
    void whatWaitsWhileTheAllowedRequestsAreInFlightSharesTheNextOne() {
        List<Request> inFlight = new ArrayList<>();
        for (int i = 1; i <= config.bundlesMax(); i++) {
            inFlight.add(onlyRequest(submit(i, Bytes.utf8("op" + i))));
        }
        for (int i = 5; i <= 9; i++) {
            assertThat(submit(i, Bytes.utf8("op" + i))).isEmpty();
            assertThat(step(new Input.Tick())).isEmpty();
        }

        List<Effect> out = answer(inFlight.get(0), 0, 1);

        Request next = onlyRequest(out);
        assertThat(next.first()).isEqualTo(5);
        assertThat(next.lowest()).isEqualTo(2);
        assertThat(next.operations())
                .containsExactlyElementsOf(IntStream.rangeClosed(5, 9)
                        .mapToObj(i -> Bytes.utf8("op" + i))
                        .toList());
    }

    @Test
    void operationsThatComeTogetherShareTheFirstRequest() {
        List<Input> together = List.of(new Input.Submit(1, OP), new Input.Submit(2, OP), new Input.Submit(3, OP));

        core.step(together, effects);

        assertThat(onlyRequest(effects.drain()).operations()).hasSize(3);
    }

    @Test
    void aRequestStaysWithinTheLimitsOfOperationsAndOfBytes() {
        List<Input> many = LongStream.rangeClosed(1, Limits.REQUEST_OPERATIONS_MAX + 1)
                .<Input>mapToObj(i -> new Input.Submit(i, OP))
                .toList();
        core.step(many, effects);
        core.step(new Input.Tick(), effects);
        assertThat(requests(effects.drain()))
                .extracting(request -> request.operations().size())
                .containsExactly(Limits.REQUEST_OPERATIONS_MAX, 1);

        Bytes big = large(Limits.OPERATION_BYTES_MAX, 1);
        List<Input> large = LongStream.rangeClosed(2_001, 2_005)
                .<Input>mapToObj(i -> new Input.Submit(i, big))
                .toList();
        core.step(large, effects);
        assertThat(requests(effects.drain()))
                .extracting(request -> request.operations().size())
                .containsExactly(4);
        core.step(new Input.Tick(), effects);
        assertThat(requests(effects.drain()))
                .extracting(request -> request.operations().size())
                .containsExactly(1);
    }

    @Test
    void theWindowBoundsTheNumbersOutstandingAndMovesWithTheLowest() {
        core = new ClientCore(withWindow(2), EPOCH);
        Request first = onlyRequest(submit(1, Bytes.utf8("a")));
        Request second = onlyRequest(submit(2, Bytes.utf8("b")));
        assertThat(submit(3, Bytes.utf8("c"))).isEmpty();

        assertThat(requests(answer(second, 0, 1)))
                .as("the lowest is still awaited")
                .isEmpty();

        Request third = onlyRequest(answer(first, 0, 1));
        assertThat(third.lowest()).isEqualTo(3);
        assertThat(third.first()).isEqualTo(3);
    }

    @Test
    void moreThanTheQueueHoldsIsRefusedAsNeverSent() {
        core = new ClientCore(new Config(0, cluster.quorum(), 1, 1, 1, 2, 50, 400, 2, 25, 1_024, 1 << 20), EPOCH);
        submit(1, OP);
        submit(2, OP);
        submit(3, OP);

        assertThat(submit(4, OP)).containsExactly(new Effect.Fail(4, Failure.OVERLOADED));
    }

    @Test
    void whoeverBreaksTheInterfaceHearsOfIt() {
        submit(5, OP);

        assertThatThrownBy(() -> submit(5, OP)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> submit(6, large(Limits.OPERATION_BYTES_MAX + 1, 0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("262145");
        assertThatThrownBy(() -> step(new Input.SessionBegan(2_000))).isInstanceOf(IllegalArgumentException.class);
    }

    // ---- TOCS'02, section 2.3.1: "the client waits for f + 1 replies with valid signatures from different replicas"
    // ----

    @Test
    void aResultIsBelievedAtFPlusOneEqualRepliesAndComesWithTheirProof() {
        Request request = onlyRequest(submit(1, OP));

        assertThat(receive(2, cluster.reply(2, 0, request, 7, MACHINE, true))).isEmpty();
        List<Effect> out = receive(1, cluster.reply(1, 0, request, 7, MACHINE, true));

        assertThat(out).first().isEqualTo(new Effect.ForgetRequest(1));
        Effect.Complete complete = (Effect.Complete) out.get(1);
        assertThat(complete.ticket()).isEqualTo(1);
        assertThat(complete.answer().result()).isEqualTo(Bytes.utf8("po"));
        assertThat(complete.answer().leaf()).isEqualTo(leaf(request, 0, 7, Outcome.EXECUTED, Bytes.utf8("po")));
        assertThat(complete.answer().attestations())
                .extracting(Answer.Attestation::replica)
                .containsExactly(1, 2);
        assertThat(core.report().pending()).isZero();
        assertThat(core.report().lowest()).isEqualTo(2);
    }

    @Test
    void theSameReplicaCountsOnceHoweverOftenAndThroughWhomItSpeaks() {
        Request request = onlyRequest(submit(1, OP));
        Reply reply = cluster.reply(2, 0, request, 7, MACHINE, true);

        receive(2, reply);
        assertThat(receive(2, reply)).isEmpty();
        assertThat(receive(3, reply)).as("replayed by another").isEmpty();

        assertThat(core.report().ignored()).containsEntry(Ignored.REPEATED, 2L);
    }

    @Test
    void fLiarsAreOutvotedWhateverTheyLieAbout() {
        Request request = onlyRequest(submit(1, OP));
        ReplyLeaf truth = leaf(request, 0, 7, Outcome.EXECUTED, Bytes.utf8("po"));
        List<ReplyLeaf> lies = List.of(
                leaf(request, 0, 7, Outcome.EXECUTED, Bytes.utf8("lie")),
                leaf(request, 0, 8, Outcome.EXECUTED, Bytes.utf8("po")),
                leaf(request, 0, 7, Outcome.FAILED, Bytes.utf8("po")),
                leaf(request, 0, 7, Outcome.SESSION_EXPIRED, Bytes.EMPTY),
                new ReplyLeaf(0, EPOCH, 1, 7, 1, truth.operation(), Outcome.EXECUTED, truth.result()));
        for (ReplyLeaf lie : lies) {
            core = new ClientCore(config, EPOCH);
            submit(1, OP);
            assertThat(receive(0, cluster.reply(0, 0, List.of(lie), List.of(Optional.empty()))))
                    .isEmpty();
            assertThat(receive(1, cluster.reply(1, 0, request, 7, MACHINE, true)))
                    .as("one liar, one honest: " + lie)
                    .isEmpty();
            assertThat(completed(receive(2, cluster.reply(2, 0, request, 7, MACHINE, true))))
                    .extracting(Answer::leaf)
                    .containsExactly(truth);
        }
    }

    @Test
    void aReplicasFirstWordCountsAndASecondOneIsAContradiction() {
        Request request = onlyRequest(submit(1, OP));
        ReplyLeaf lie = leaf(request, 0, 7, Outcome.EXECUTED, Bytes.utf8("lie"));
        receive(0, cluster.reply(0, 0, List.of(lie), List.of(Optional.empty())));
        receive(1, cluster.reply(1, 0, request, 7, MACHINE, true));

        assertThat(receive(0, cluster.reply(0, 0, request, 7, MACHINE, true))).isEmpty();

        assertThat(core.report().ignored()).containsEntry(Ignored.CONTRADICTION, 1L);
    }

    @Test
    void aLeafAboutOtherBytesThanThoseSubmittedIsNoVote() {
        // Trap 73: a leader that changes what a client asked for.
        Request request = onlyRequest(submit(1, OP));
        Request changed = new Request(0, EPOCH, 1, 1, -1, List.of(Bytes.utf8("other")));

        for (int replica = 0; replica < 4; replica++) {
            assertThat(receive(replica, cluster.reply(replica, 0, changed, 7, MACHINE, true)))
                    .isEmpty();
        }

        assertThat(core.report().ignored()).containsEntry(Ignored.WRONG_OPERATION, 4L);
        assertThat(completed(answer(request, 1, 2))).hasSize(1);
    }

    @Test
    void repliesOfAnotherSessionOfNumbersNeverSentAndOfOldOnesChangeNothing() {
        Request request = onlyRequest(submit(1, OP));
        Request foreign = new Request(0, EPOCH - 1, 1, 1, -1, List.of(OP));
        Request future = new Request(0, EPOCH, 1, 2, -1, List.of(OP));

        for (int replica = 0; replica < 4; replica++) {
            assertThat(receive(replica, cluster.reply(replica, 0, foreign, 7, MACHINE, true)))
                    .isEmpty();
            assertThat(receive(replica, cluster.reply(replica, 0, future, 7, MACHINE, true)))
                    .isEmpty();
        }
        answer(request, 0, 1);
        receive(2, cluster.reply(2, 0, request, 7, MACHINE, true));

        assertThat(core.report().ignored())
                .containsEntry(Ignored.WRONG_SESSION, 4L)
                .containsEntry(Ignored.NEVER_SENT, 4L)
                .containsEntry(Ignored.ALREADY_DONE, 1L);
    }

    @Test
    void whatTheVerifierRefusesNeverReachesTheCore() {
        Request request = onlyRequest(submit(1, OP));
        Reply good = cluster.reply(1, 0, request, 7, MACHINE, true);
        Reply.Item item = good.items().get(0);

        Reply ofAnotherCluster = new TestCluster(4, "another cluster").reply(1, 0, request, 7, MACHINE, true);
        Reply inAnothersName = new Reply(
                new io.pbft.protocol.Signed<>(
                        new io.pbft.protocol.ReplyRoot(
                                0,
                                good.root().statement().root(),
                                good.root().statement().leaves(),
                                2),
                        good.root().signature()),
                good.items());
        Reply wrongPath = new Reply(
                good.root(),
                List.of(new Reply.Item(item.leaf(), item.result(), item.index(), List.of(Digest.ZERO, Digest.ZERO))));
        Reply wrongBytes = new Reply(
                good.root(),
                List.of(new Reply.Item(item.leaf(), Optional.of(Bytes.utf8("x")), item.index(), item.path())));

        for (Reply bad : List.of(ofAnotherCluster, inAnothersName, wrongPath, wrongBytes)) {
            assertThat(cluster.verify(1, bad)).isInstanceOf(Verdict.Rejected.class);
        }
        assertThat(cluster.verify(1, good)).isInstanceOf(Verdict.Accepted.class);
    }

    @Test
    void messagesThatClientsHaveNoUseForAreIgnored() {
        assertThat(receive(1, new Status(0, false, 0, 0, true))).isEmpty();

        assertThat(core.report().ignored()).containsExactlyEntriesOf(java.util.Map.of(Ignored.WRONG_TYPE, 1L));
    }

    @Test
    void aWholeBundleIsAnsweredByOneReplyOfEachOfFPlusOneReplicas() {
        List<Input> together = LongStream.rangeClosed(1, 10)
                .<Input>mapToObj(i -> new Input.Submit(i, Bytes.utf8("op" + i)))
                .toList();
        core.step(together, effects);
        Request request = onlyRequest(effects.drain());

        List<Answer> answers = completed(answer(request, 3, 2));

        assertThat(answers).hasSize(10);
        assertThat(answers.get(9).result()).isEqualTo(Bytes.utf8("01po"));
        assertThat(core.report().bundles()).isZero();
    }

    // ---- retransmission ----

    @Test
    void aLateAnswerMakesTheSameRequestGoToAllReplicasEachTimeLater() {
        Request request = onlyRequest(submit(1, OP));
        Effect.SendRequest toAll = new Effect.SendRequest(List.of(0, 1, 2, 3), request);

        assertThat(ticks(config.retransmitTicks() - 1)).isEmpty();
        assertThat(ticks(1)).containsExactly(toAll);
        assertThat(ticks(2 * config.retransmitTicks() - 1)).isEmpty();
        assertThat(ticks(1)).containsExactly(toAll);
        assertThat(ticks(4 * config.retransmitTicks())).containsExactly(toAll);
        assertThat(ticks(8 * config.retransmitTicks())).containsExactly(toAll);
        assertThat(ticks(8 * config.retransmitTicks())).as("the doubling ends").containsExactly(toAll);
    }

    @Test
    void whileAnswersTakeLongSomeRequestsGoToAllAtOnce() {
        List<Integer> toldAtOnce = new ArrayList<>();
        for (int i = 1; i <= 40; i++) {
            List<Effect> out = submit(i, OP);
            Effect.SendRequest sent = (Effect.SendRequest) out.get(0);
            toldAtOnce.add(sent.to().size());
            // The first twenty take as long as a primary may, that is just not suspected; then answers are quick again.
            ticks(i <= 20 ? 9 * config.retransmitTicks() / 5 : 1);
            answer(sent.request(), 0, 1);
        }
        assertThat(toldAtOnce.subList(0, 6)).containsOnly(1);
        assertThat(toldAtOnce.subList(10, 14)).containsExactlyInAnyOrder(1, 1, 1, 4);
        assertThat(toldAtOnce.subList(14, 18)).containsExactlyInAnyOrder(1, 1, 1, 4);
        assertThat(toldAtOnce.subList(28, 40)).containsOnly(1);
    }

    @Test
    void aBrokenConnectionToThePrimaryMakesTheRequestGoToTheOthersAtOnce() {
        Request request = onlyRequest(submit(1, OP));

        assertThat(step(new Input.Connection(0, false)))
                .containsExactly(new Effect.SendRequest(List.of(1, 2, 3), request));
        assertThat(step(new Input.Connection(2, false))).isEmpty();
        assertThat(step(new Input.Connection(2, true))).containsExactly(new Effect.SendRequest(List.of(2), request));
        Request next = new Request(0, EPOCH, 1, 2, -1, List.of(OP));
        assertThat(submit(2, OP)).containsExactly(new Effect.SendRequest(List.of(1, 2, 3), next));
    }

    @Test
    void withoutAnyConnectionNothingIsSentAndWhatIsGivenUpIsCertainlyNotExecuted() {
        for (int replica = 0; replica < 4; replica++) {
            step(new Input.Connection(replica, false));
        }
        assertThat(submit(1, OP)).isEmpty();
        assertThat(submit(2, Bytes.utf8("two"))).isEmpty();

        assertThat(step(new Input.Abandon(1))).containsExactly(new Effect.Fail(1, Failure.NOT_SENT));

        Request request = new Request(0, EPOCH, 1, 1, -1, List.of(Bytes.utf8("two")));
        assertThat(step(new Input.Connection(0, true))).containsExactly(new Effect.SendRequest(List.of(0), request));
    }

    @Test
    void theClientFollowsThePrimaryThatFPlusOneReplicasReport() {
        Request first = onlyRequest(submit(1, OP));
        receive(3, cluster.reply(3, 1_000_001, first, 7, MACHINE, true));
        assertThat(core.report().view()).as("one replica may lie").isZero();

        List<Effect> out = receive(2, cluster.reply(2, 5, first, 7, MACHINE, true));

        assertThat(completed(out)).hasSize(1);
        assertThat(core.report().view()).isEqualTo(5);
        assertThat(((Effect.SendRequest) submit(2, OP).get(0)).to()).containsExactly(1);
    }

    @Test
    void whatOnlyTheOldPrimaryKnowsOfGoesToTheNewOne() {
        Request first = onlyRequest(submit(1, OP));
        Request second = onlyRequest(submit(2, OP));
        receive(3, cluster.reply(3, 2, first, 7, MACHINE, true));

        List<Effect> out = receive(1, cluster.reply(1, 2, first, 7, MACHINE, true));

        assertThat(out).contains(new Effect.SendRequest(List.of(2), second));
    }

    @Test
    void answersThatTakeLongAreWaitedForLonger() {
        for (int i = 1; i <= 40; i++) {
            Request request = onlyRequest(submit(i, OP));
            ticks(40);
            answer(request, 0, 1);
        }
        Request request = onlyRequest(submit(100, OP));

        assertThat(ticks(100)).isEmpty();
        assertThat(ticks(60)).containsExactly(new Effect.SendRequest(List.of(0, 1, 2, 3), request));
    }

    @Test
    void fPlusOneOverloadedReplicasAreGivenTime() {
        Request request = onlyRequest(submit(1, OP));
        ticks(config.retransmitTicks() - 1);
        Refusal refusal = new Refusal(EPOCH, 1, Refusal.Reason.OVERLOADED);

        assertThat(receive(0, refusal)).isEmpty();
        assertThat(receive(1, refusal)).isEmpty();

        assertThat(ticks(2 * config.retransmitTicks() - 1)).isEmpty();
        assertThat(ticks(1)).containsExactly(new Effect.SendRequest(List.of(0, 1, 2, 3), request));
    }

    // ---- large results ----

    @Test
    void afterLargeResultsOneReplicaInTurnSendsThemInFull() {
        UnaryOperator<Bytes> large = operation -> large(10_000, operation.get(0));
        List<Integer> repliers = new ArrayList<>();
        for (int i = 1; i <= 6; i++) {
            Request request = onlyRequest(submit(i, OP));
            repliers.add(request.replier());
            for (int replica = 0; replica < 4; replica++) {
                boolean full = request.replier() < 0 || request.replier() == replica;
                receive(replica, cluster.reply(replica, 0, request, 7, large, full));
            }
        }

        assertThat(repliers.get(0)).isEqualTo(-1);
        assertThat(repliers.subList(1, 6)).containsExactly(1, 2, 3, 0, 1);
        assertThat(core.report().pending()).isZero();
    }

    @Test
    void whenTheNamedReplicaIsMuteAnotherIsAskedAndTheNumberIsNotForgottenBefore() {
        Request request = requestWithReplier(1);
        assertThat(receive(0, cluster.reply(0, 0, request, 7, TestCluster::reverse, false)))
                .isEmpty();
        assertThat(receive(3, cluster.reply(3, 0, request, 7, TestCluster::reverse, false)))
                .containsExactly(new Effect.ForgetRequest(request.first()));
        assertThat(core.report().lowest()).isEqualTo(request.first());

        List<Effect> asked = ticks(config.fetchTicks());

        assertThat(asked).containsExactly(new Effect.Send(3, new ReplyFetch(EPOCH, request.first())));
        assertThat(ticks(config.fetchTicks()))
                .as("then the other one that vouches")
                .containsExactly(new Effect.Send(0, new ReplyFetch(EPOCH, request.first())));
        assertThat(completed(receive(0, cluster.reply(0, 0, request, 7, TestCluster::reverse, true))))
                .extracting(Answer::result)
                .containsExactly(TestCluster.reverse(request.operations().get(0)));
    }

    @Test
    void whenTheNamedReplicaSpokeWithoutTheBytesOrIsGoneAnotherIsAskedWithoutWaiting() {
        Request request = requestWithReplier(1);
        receive(1, cluster.reply(1, 0, request, 7, TestCluster::reverse, false));
        assertThat(receive(3, cluster.reply(3, 0, request, 7, TestCluster::reverse, false)))
                .containsExactly(
                        new Effect.ForgetRequest(request.first()),
                        new Effect.Send(3, new ReplyFetch(EPOCH, request.first())));

        core = new ClientCore(config, EPOCH);
        Request again = requestWithReplier(1);
        receive(0, cluster.reply(0, 0, again, 7, TestCluster::reverse, false));
        receive(3, cluster.reply(3, 0, again, 7, TestCluster::reverse, false));
        assertThat(step(new Input.Connection(1, false)))
                .containsExactly(new Effect.Send(3, new ReplyFetch(EPOCH, again.first())));
    }

    @Test
    void aLiarsBytesAreNotHandedOutEvenIfItIsTheNamedOne() {
        Request request = requestWithReplier(1);
        Bytes lie = large(20_000, 9);
        ReplyLeaf lying = leaf(request, 0, 7, Outcome.EXECUTED, lie);
        receive(1, cluster.reply(1, 0, List.of(lying), List.of(Optional.of(lie))));
        receive(0, cluster.reply(0, 0, request, 7, TestCluster::reverse, false));

        List<Effect> out = receive(2, cluster.reply(2, 0, request, 7, TestCluster::reverse, false));

        assertThat(out)
                .containsExactly(
                        new Effect.ForgetRequest(request.first()),
                        new Effect.Send(2, new ReplyFetch(EPOCH, request.first())));
        assertThat(core.report().heldBytes()).as("the lie is let go").isZero();
    }

    @Test
    void bytesThatNobodyHasVouchedForYetAreHeldUpToALimitOnly() {
        core = new ClientCore(new Config(0, cluster.quorum(), 64, 4, 1, 64, 50, 400, 2, 25, 1_024, 25_000), EPOCH);
        List<Input> together = List.of(new Input.Submit(1, OP), new Input.Submit(2, OP), new Input.Submit(3, OP));
        core.step(together, effects);
        Request request = onlyRequest(effects.drain());
        UnaryOperator<Bytes> large = operation -> large(10_000, 1);

        receive(0, cluster.reply(0, 0, request, 7, large, true));
        assertThat(core.report().heldBytes()).isEqualTo(20_000);
        assertThat(core.report().ignored()).containsEntry(Ignored.TOO_MUCH_HELD, 1L);

        assertThat(completed(receive(1, cluster.reply(1, 0, request, 7, large, true))))
                .hasSize(3);
        assertThat(core.report().heldBytes()).isZero();
    }

    // ---- giving up ----

    @Test
    void whatWasSentAndGivenUpIsUnknownIsSentAgainUnderItsNumberAndMayBecomeKnown() {
        // Trap 37: a timed-out operation is retried with the same number, never with a new one.
        Request request = onlyRequest(submit(1, OP));

        assertThat(step(new Input.Abandon(1))).containsExactly(new Effect.Fail(1, Failure.UNKNOWN));
        assertThat(step(new Input.Abandon(1))).as("once").isEmpty();
        assertThat(ticks(config.retransmitTicks()))
                .containsExactly(new Effect.SendRequest(List.of(0, 1, 2, 3), request));
        assertThat(completed(answer(request, 0, 1))).hasSize(1);
    }

    @Test
    void aGivenUpOperationMakesPlaceWhenSomebodyNeedsItAndItsNumberIsNotUsedAgain() {
        core = new ClientCore(withWindow(1), EPOCH);
        submit(1, OP);
        step(new Input.Abandon(1));

        List<Effect> out = submit(2, Bytes.utf8("two"));

        assertThat(out)
                .containsExactly(
                        new Effect.Fail(1, Failure.GIVEN_UP),
                        new Effect.ForgetRequest(1),
                        new Effect.SendRequest(
                                List.of(0), new Request(0, EPOCH, 2, 2, -1, List.of(Bytes.utf8("two")))));
    }

    @Test
    void aRequestGivenUpInPartStaysAsLongAsSomebodyWaitsForTheRest() {
        core.step(List.of(new Input.Submit(1, OP), new Input.Submit(2, Bytes.utf8("two"))), effects);
        Request request = onlyRequest(effects.drain());
        step(new Input.Abandon(1));

        assertThat(ticks(config.retransmitTicks()))
                .containsExactly(new Effect.SendRequest(List.of(0, 1, 2, 3), request));
        assertThat(completed(answer(request, 0, 1))).hasSize(2);
    }

    @Test
    void requestsThatNobodyWaitsForGiveWayToNewOnes() {
        for (int i = 1; i <= config.bundlesMax(); i++) {
            submit(i, OP);
            step(new Input.Abandon(i));
        }

        List<Effect> out = submit(9, OP);

        assertThat(out).startsWith(new Effect.Fail(1, Failure.GIVEN_UP), new Effect.ForgetRequest(1));
        assertThat(onlyRequest(out).lowest()).isEqualTo(2);
    }

    // ---- the session ----

    @Test
    void anExpiredSessionIsAnAgreedRejectionAndANewOneBegins() {
        Request request = onlyRequest(submit(1, OP));
        ReplyLeaf expired = leaf(request, 0, 9, Outcome.SESSION_EXPIRED, Bytes.EMPTY);
        List<Optional<Bytes>> full = List.of(Optional.of(Bytes.EMPTY));
        receive(0, cluster.reply(0, 0, List.of(expired), full));

        List<Effect> out = receive(1, cluster.reply(1, 0, List.of(expired), full));

        assertThat(completed(out))
                .extracting(answer -> answer.leaf().outcome())
                .containsExactly(Outcome.SESSION_EXPIRED);
        assertThat(out).endsWith(new Effect.BeginSession(Outcome.SESSION_EXPIRED));
        assertThat(submit(2, OP)).as("waits for the session").isEmpty();
        assertThat(step(new Input.SessionBegan(EPOCH + 1)))
                .containsExactly(new Effect.SendRequest(List.of(0), new Request(0, EPOCH + 1, 1, 1, -1, List.of(OP))));
    }

    @Test
    void aSessionThatEndsWaitsForTheAnswersToTheRest() {
        Request first = onlyRequest(submit(1, OP));
        Request second = onlyRequest(submit(2, Bytes.utf8("two")));
        ReplyLeaf future = leaf(first, 0, 9, Outcome.SESSION_IN_FUTURE, Bytes.EMPTY);
        List<Optional<Bytes>> full = List.of(Optional.of(Bytes.EMPTY));
        receive(0, cluster.reply(0, 0, List.of(future), full));

        List<Effect> out = receive(1, cluster.reply(1, 0, List.of(future), full));
        assertThat(out).doesNotContain(new Effect.BeginSession(Outcome.SESSION_IN_FUTURE));

        assertThat(answer(second, 0, 1)).endsWith(new Effect.BeginSession(Outcome.SESSION_IN_FUTURE));
    }

    @Test
    void aNewSessionMayBeginWheneverNothingIsOutstanding() {
        Request first = onlyRequest(submit(1, OP));
        assertThatThrownBy(() -> step(new Input.SessionBegan(EPOCH + 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 operations outstanding");
        answer(first, 0, 1);

        assertThat(step(new Input.SessionBegan(EPOCH + 1))).isEmpty();
        assertThat(onlyRequest(submit(2, OP))).isEqualTo(new Request(0, EPOCH + 1, 1, 1, -1, List.of(OP)));
        assertThatThrownBy(() -> step(new Input.SessionBegan(EPOCH))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aSessionThatFPlusOneReplicasRefuseIsLostAndSoAreItsOutcomes() {
        submit(1, OP);
        submit(2, OP);
        step(new Input.Abandon(2));
        Refusal refusal = new Refusal(EPOCH, 1, Refusal.Reason.SESSION_EXPIRED);

        assertThat(receive(3, refusal)).as("one may lie").isEmpty();
        assertThat(receive(3, refusal)).as("and say it twice").isEmpty();

        assertThat(receive(2, refusal))
                .containsExactly(
                        new Effect.Fail(1, Failure.SESSION_LOST),
                        new Effect.ForgetRequest(1),
                        new Effect.Fail(2, Failure.GIVEN_UP),
                        new Effect.ForgetRequest(2),
                        new Effect.BeginSession(Outcome.SESSION_EXPIRED));
    }

    // ---- reads ----

    @Test
    void aFastReadAsksAllAndBelievesAQuorumOfEqualAnswers() {
        List<Effect> asked = step(new Input.Read(1, OP, true));
        assertThat(asked)
                .containsExactlyElementsOf(IntStream.range(0, 4)
                        .<Effect>mapToObj(i -> new Effect.Send(i, new ReadRequest(NONCE + 1, true, true, OP)))
                        .toList());

        assertThat(receive(0, read(1, 5, "value"))).isEmpty();
        assertThat(receive(2, read(1, 7, "value"))).isEmpty();
        List<Effect> out = receive(3, read(1, 9_999, "value"));

        assertThat(out)
                .containsExactly(new Effect.CompleteRead(
                        1, new ReadAnswer(Outcome.EXECUTED, Bytes.utf8("value"), 7, TestCluster.TIME + 7)));
    }

    @Test
    void aFastReadWithOneOldAnswerAndOneLieIsOrderedAsSoonAsNoQuorumIsPossible() {
        step(new Input.Read(1, OP, true));
        receive(0, read(1, 7, "new"));
        receive(1, read(1, 6, "old"));

        List<Effect> out = receive(2, read(1, 7, "lie"));

        Request ordered = onlyRequest(out);
        assertThat(ordered.operations()).containsExactly(OP);
        assertThat(completed(answer(ordered, 0, 1))).hasSize(1);
        assertThat(core.report().readFallbacks()).isEqualTo(1);
    }

    @Test
    void twoProcessesWithOneKeyDoNotTakeEachOthersAnswers() {
        ClientCore other = new ClientCore(config, EPOCH + 1);
        other.step(new Input.Read(1, Bytes.utf8("another question"), true), effects);
        long foreign = ((ReadRequest) ((Effect.Send) effects.drain().get(0)).message()).nonce();
        step(new Input.Read(1, OP, true));

        for (int replica = 0; replica < 4; replica++) {
            assertThat(receive(replica, read(foreign - NONCE, 7, "another answer")))
                    .isEmpty();
        }

        assertThat(core.report().ignored()).containsEntry(Ignored.UNKNOWN_READ, 4L);
    }

    @Test
    void aReplicaAnswersAReadOnce() {
        step(new Input.Read(1, OP, true));
        receive(0, read(1, 7, "value"));
        receive(0, read(1, 7, "value"));
        receive(0, read(1, 8, "other"));

        assertThat(receive(1, read(1, 7, "value"))).isEmpty();
        assertThat(core.report().ignored())
                .containsEntry(Ignored.REPEATED, 1L)
                .containsEntry(Ignored.CONTRADICTION, 1L);
        assertThat(receive(1, read(77, 7, "value"))).isEmpty();
        assertThat(core.report().ignored()).containsEntry(Ignored.UNKNOWN_READ, 1L);
    }

    @Test
    void aReadThatTakesTooLongIsOrdered() {
        step(new Input.Read(1, OP, true));
        receive(0, read(1, 7, "value"));

        assertThat(ticks(config.readTicks() - 1)).isEmpty();
        assertThat(onlyRequest(ticks(1)).operations()).containsExactly(OP);
        assertThat(receive(1, read(1, 7, "value"))).as("too late").isEmpty();
    }

    @Test
    void aReadThatTooFewReplicasCanAnswerIsOrderedAtOnce() {
        step(new Input.Connection(2, false));
        step(new Input.Read(1, OP, true));
        assertThat(onlyRequest(step(new Input.Connection(3, false))).operations())
                .containsExactly(OP);

        assertThat(onlyRequest(step(new Input.Read(2, OP, true))).operations()).containsExactly(OP);
    }

    @Test
    void aStaleReadBelievesFPlusOneAndSaysHowOldItMayBe() {
        List<Effect> asked = step(new Input.Read(1, OP, false));
        assertThat(asked).contains(new Effect.Send(3, new ReadRequest(NONCE + 1, false, true, OP)));
        receive(0, read(1, 900, "lie"));
        receive(1, read(1, 7, "value"));

        assertThat(receive(2, read(1, 5, "value")))
                .containsExactly(new Effect.CompleteRead(
                        1, new ReadAnswer(Outcome.EXECUTED, Bytes.utf8("value"), 5, TestCluster.TIME + 5)));
    }

    @Test
    void aLargeReadIsSentInFullByOneReplicaAndOrderedWhenThatOneLies() {
        requestWithReplier(1);
        List<Effect> asked = step(new Input.Read(50, OP, true));
        assertThat(asked)
                .containsExactly(
                        new Effect.Send(0, new ReadRequest(NONCE + 1, true, false, OP)),
                        new Effect.Send(1, new ReadRequest(NONCE + 1, true, false, OP)),
                        new Effect.Send(2, new ReadRequest(NONCE + 1, true, true, OP)),
                        new Effect.Send(3, new ReadRequest(NONCE + 1, true, false, OP)));
        ReadReply digestOnly = new ReadReply(
                NONCE + 1, 7, TestCluster.TIME, Outcome.EXECUTED, Digest.of(Bytes.utf8("value")), Optional.empty());
        receive(0, digestOnly);
        receive(1, digestOnly);
        assertThat(receive(3, digestOnly)).as("the bytes may still come").isEmpty();

        assertThat(onlyRequest(receive(2, read(1, 7, "lie"))).operations()).containsExactly(OP);
        assertThat(core.report().heldBytes()).isZero();
    }

    @Test
    void aReadThatIsGivenUpHasDoneNothing() {
        step(new Input.Read(1, OP, true));
        assertThat(step(new Input.Abandon(1))).containsExactly(new Effect.Fail(1, Failure.READ_UNANSWERED));

        step(new Input.Read(2, OP, true));
        Request ordered = onlyRequest(ticks(config.readTicks()));
        assertThat(step(new Input.Abandon(2))).containsExactly(new Effect.Fail(2, Failure.READ_UNANSWERED));
        assertThat(completed(answer(ordered, 0, 1))).as("nobody waits").isEmpty();
        assertThat(core.report().pending()).isZero();
    }

    // ---- larger clusters, and everything at once ----

    @Test
    void withSevenReplicasTwoLiarsThatAgreeAreNotBelieved() {
        TestCluster seven = new TestCluster(7);
        core = new ClientCore(Config.of(0, seven.quorum(), ProtocolParameters.DEFAULT), EPOCH);
        Request request = onlyRequest(submit(1, OP));
        UnaryOperator<Bytes> lie = operation -> Bytes.utf8("lie");
        for (int liar : new int[] {0, 1}) {
            assertThat(step(new Input.Received(seven.verified(liar, seven.reply(liar, 0, request, 7, lie, true)))))
                    .isEmpty();
        }
        List<Answer> answers = new ArrayList<>();
        for (int honest = 2; honest < 5; honest++) {
            Message reply = seven.reply(honest, 0, request, 7, MACHINE, true);
            answers.addAll(completed(step(new Input.Received(seven.verified(honest, reply)))));
        }
        assertThat(answers).extracting(Answer::result).containsExactly(Bytes.utf8("po"));
        assertThat(answers.get(0).attestations()).hasSize(3);
    }

    @Test
    void theSameInputsGiveTheSameEffects() {
        assertThat(run(11)).isEqualTo(run(11)).isNotEqualTo(run(12));
    }

    /** A run of random inputs, lies among them: each operation completes with the truth, once, and nothing is left. */
    private List<Effect> run(long seed) {
        java.util.SplittableRandom random = new java.util.SplittableRandom(seed);
        core = new ClientCore(withWindow(16), EPOCH);
        List<Effect> trace = new ArrayList<>();
        List<Request> sent = new ArrayList<>();
        int[] completions = new int[41];
        long ticket = 0;
        int liar = random.nextInt(4);
        for (int i = 0; i < 600 || core.report().pending() + core.report().queued() > 0; i++) {
            List<Effect> out;
            int choice = random.nextInt(10);
            if (choice == 0 && ticket < 40) {
                ticket++;
                out = submit(ticket, Bytes.utf8("operation " + ticket));
            } else if (choice < 3) {
                out = ticks(1);
            } else if (sent.isEmpty()) {
                continue;
            } else {
                int replica = random.nextInt(4);
                Request request = sent.get(random.nextInt(sent.size()));
                UnaryOperator<Bytes> machine = replica == liar ? operation -> Bytes.utf8("lie") : MACHINE;
                out = receive(
                        replica, cluster.reply(replica, 0, request, request.first(), machine, random.nextBoolean()));
            }
            sent.addAll(requests(out));
            for (Effect effect : out) {
                if (effect instanceof Effect.Complete complete) {
                    completions[(int) complete.ticket()]++;
                    assertThat(complete.answer().result())
                            .isEqualTo(MACHINE.apply(Bytes.utf8("operation " + complete.ticket())));
                }
            }
            trace.addAll(out);
        }
        assertThat(Arrays.stream(completions).skip(1).limit(ticket)).containsOnly(1);
        assertThat(core.report().heldBytes()).isZero();
        assertThat(core.report().bundles()).isZero();
        return trace;
    }

    // ---- what the tests are written in ----

    private List<Effect> step(Input input) {
        core.step(input, effects);
        return effects.drain();
    }

    private List<Effect> submit(long ticket, Bytes operation) {
        return step(new Input.Submit(ticket, operation));
    }

    /** Operations that come together. */
    private List<Effect> submit(long firstTicket, int operations) {
        List<Input> together = LongStream.range(firstTicket, firstTicket + operations)
                .<Input>mapToObj(i -> new Input.Submit(i, OP))
                .toList();
        core.step(together, effects);
        return effects.drain();
    }

    private List<Effect> receive(int from, Message message) {
        return step(new Input.Received(cluster.verified(from, message)));
    }

    private List<Effect> ticks(int count) {
        for (int i = 0; i < count; i++) {
            core.step(new Input.Tick(), effects);
        }
        return effects.drain();
    }

    /** The true answer of two replicas. */
    private List<Effect> answer(Request request, int one, int other) {
        List<Effect> out = new ArrayList<>(receive(one, cluster.reply(one, 0, request, 7, MACHINE, true)));
        out.addAll(receive(other, cluster.reply(other, 0, request, 7, MACHINE, true)));
        return out;
    }

    private static ReadReply read(long nonce, long seq, String value) {
        Bytes result = Bytes.utf8(value);
        return new ReadReply(
                NONCE + nonce, seq, TestCluster.TIME + seq, Outcome.EXECUTED, Digest.of(result), Optional.of(result));
    }

    /** A request of a client that has just seen a large result, and so names a replica. */
    private Request requestWithReplier(int replier) {
        Request first = onlyRequest(submit(1, OP));
        UnaryOperator<Bytes> large = operation -> large(100_000, 1);
        receive(0, cluster.reply(0, 0, first, 6, large, true));
        receive(2, cluster.reply(2, 0, first, 6, large, true));
        Request request = onlyRequest(submit(2, Bytes.utf8("large")));
        assertThat(request.replier()).isEqualTo(replier);
        assertThat(leaves(request, 7, MACHINE)).hasSize(1);
        return request;
    }

    private static List<Request> requests(List<Effect> out) {
        return out.stream()
                .filter(Effect.SendRequest.class::isInstance)
                .map(effect -> ((Effect.SendRequest) effect).request())
                .toList();
    }

    private static Request onlyRequest(List<Effect> out) {
        assertThat(requests(out)).hasSize(1);
        return requests(out).get(0);
    }

    private static List<String> operations(List<Effect> out) {
        return onlyRequest(out).operations().stream().map(Bytes::toUtf8).toList();
    }

    private static List<Answer> completed(List<Effect> out) {
        return out.stream()
                .filter(Effect.Complete.class::isInstance)
                .map(effect -> ((Effect.Complete) effect).answer())
                .toList();
    }

    private Config withWindow(int window) {
        return new Config(0, cluster.quorum(), window, Math.min(4, window), 64, 64, 50, 400, 2, 25, 1_024, 1 << 20);
    }
}
