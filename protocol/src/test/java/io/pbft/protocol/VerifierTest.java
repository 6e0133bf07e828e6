package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Reply.Item;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a verifier accepts, and each reason for which it does not. */
class VerifierTest {
    private static final NodeId REPLICA = NodeId.replica(2);
    private static final NodeId CLIENT = NodeId.client(1);
    private static final Digest DIGEST = Digest.of(Bytes.utf8("d"));
    private static final Digest OTHER = Digest.of(Bytes.utf8("other"));

    private final TestCluster cluster = TestCluster.of(4);
    private final Verifier verifier = cluster.verifier();

    private void accepted(NodeId from, Message message) {
        Verdict verdict = verifier.verify(from, message);
        assertThat(verdict).isInstanceOf(Verdict.Accepted.class);
        Verified<?> verified = ((Verdict.Accepted) verdict).message();
        assertThat(verified.from()).isEqualTo(from);
        assertThat((Object) verified.message()).isSameAs(message);
    }

    private void rejected(NodeId from, Message message, Rejection reason) {
        Verdict verdict = verifier.verify(from, message);
        assertThat(verdict).isInstanceOf(Verdict.Rejected.class);
        Verdict.Rejected rejected = (Verdict.Rejected) verdict;
        assertThat(rejected.reason()).as(rejected.detail()).isEqualTo(reason);
        assertThat(rejected.detail()).isNotBlank();
    }

    private void rejected(Statement statement, Rejection reason) {
        rejected(REPLICA, cluster.sign(statement), reason);
    }

    private static Signature flipped(Signature signature) {
        byte[] bytes = signature.toByteArray();
        bytes[bytes.length / 2] ^= 0x10;
        return Signature.copyOf(bytes, 0, bytes.length);
    }

    private static <S extends Statement> Signed<S> flipped(Signed<S> signed) {
        return new Signed<>(signed.statement(), flipped(signed.signature()));
    }

    private static <E> List<E> replaced(List<E> list, int index, E element) {
        List<E> copy = new ArrayList<>(list);
        copy.set(index, element);
        return copy;
    }

    private static <E> List<E> reversed(List<E> list) {
        List<E> copy = new ArrayList<>();
        for (E element : list) {
            copy.add(0, element);
        }
        return copy;
    }

    private Batch batch() {
        return new Batch(
                1_000,
                List.of(
                        cluster.request(0, 1, Bytes.utf8("a")),
                        cluster.request(1, 1, Bytes.utf8("b"), Bytes.utf8("c"))));
    }

    @Nested
    class Votes {
        @Test
        void areAcceptedFromWhoeverPassesThemOn() {
            for (int from = 0; from < 4; from++) {
                accepted(NodeId.replica(from), cluster.sign(new PrePrepare(0, 1, DIGEST, 0)));
                accepted(NodeId.replica(from), cluster.sign(new Prepare(0, 1, DIGEST, 1)));
                accepted(NodeId.replica(from), cluster.sign(new Commit(0, 1, DIGEST, 0)));
                accepted(NodeId.replica(from), cluster.sign(new Checkpoint(4, DIGEST, 3)));
                accepted(NodeId.replica(from), cluster.sign(new ReplyRoot(1, DIGEST, 1, 3)));
            }
        }

        @Test
        void areRejectedFromClients() {
            rejected(CLIENT, cluster.sign(new Prepare(0, 1, DIGEST, 1)), Rejection.WRONG_SENDER);
            rejected(CLIENT, cluster.sign(new Commit(0, 1, DIGEST, 1)), Rejection.WRONG_SENDER);
        }

        @Test
        void areRejectedFromStrangers() {
            rejected(NodeId.replica(4), cluster.sign(new Prepare(0, 1, DIGEST, 1)), Rejection.WRONG_SENDER);
            rejected(NodeId.replica(-1), cluster.sign(new Prepare(0, 1, DIGEST, 1)), Rejection.WRONG_SENDER);
            rejected(NodeId.client(2), cluster.request(1, 1, Bytes.EMPTY), Rejection.WRONG_SENDER);
        }

        @Test
        void areRejectedWhenSignedByStrangers() {
            rejected(new Commit(0, 1, DIGEST, 4), Rejection.UNKNOWN_SIGNER);
            rejected(new Prepare(0, 1, DIGEST, 30), Rejection.UNKNOWN_SIGNER);
            rejected(new Checkpoint(4, DIGEST, 4), Rejection.UNKNOWN_SIGNER);
            rejected(new ViewChange(1, CheckpointCertificate.GENESIS, List.of(), 4), Rejection.UNKNOWN_SIGNER);
            rejected(new ReplyRoot(1, DIGEST, 1, 4), Rejection.UNKNOWN_SIGNER);
        }

        @Test
        void areRejectedWhenTheSignatureIsAnothers() {
            Signed<Commit> commit = cluster.sign(new Commit(0, 1, DIGEST, 1));
            rejected(REPLICA, flipped(commit), Rejection.BAD_SIGNATURE);
            rejected(REPLICA, new Signed<>(new Commit(0, 1, DIGEST, 2), commit.signature()), Rejection.BAD_SIGNATURE);
            rejected(REPLICA, new Signed<>(new Commit(0, 2, DIGEST, 1), commit.signature()), Rejection.BAD_SIGNATURE);
            // Trap 6: the same fields as another type.
            rejected(REPLICA, new Signed<>(new Prepare(0, 1, DIGEST, 1), commit.signature()), Rejection.BAD_SIGNATURE);
        }

        @Test
        void areRejectedWhenSignedForAnotherCluster() {
            NodeId signer = NodeId.replica(1);
            Sealer elsewhere = new Sealer(OTHER, signer, cluster.scheme().signer(TestCluster.privateKey(signer)));
            rejected(REPLICA, elsewhere.seal(new Commit(0, 1, DIGEST, 1)).message(), Rejection.BAD_SIGNATURE);
        }

        // Trap 3: the primary's PREPARE would count beside its PRE-PREPARE.
        @Test
        void aPrepareByThePrimaryIsRejected() {
            for (long view = 0; view < 8; view++) {
                int primary = (int) (view % 4);
                rejected(new Prepare(view, 1, DIGEST, primary), Rejection.PREPARE_BY_PRIMARY);
                accepted(REPLICA, cluster.sign(new Prepare(view, 1, DIGEST, (primary + 1) % 4)));
            }
        }

        @Test
        void aPrePrepareByABackupIsRejected() {
            rejected(new PrePrepare(1, 1, DIGEST, 0), Rejection.NOT_BY_PRIMARY);
        }

        @Test
        void numbersOutOfRangeAreRejected() {
            rejected(new Commit(0, 0, DIGEST, 1), Rejection.BAD_SEQ);
            rejected(new Commit(-1, 1, DIGEST, 1), Rejection.BAD_VIEW);
            rejected(new PrePrepare(0, 0, DIGEST, 0), Rejection.BAD_SEQ);
            rejected(new Checkpoint(0, DIGEST, 1), Rejection.BAD_SEQ);
            rejected(new Checkpoint(5, DIGEST, 1), Rejection.BAD_SEQ);
            rejected(new ReplyRoot(1, DIGEST, 0, 1), Rejection.BAD_FIELD);
        }
    }

    @Nested
    class Requests {
        @Test
        void areAcceptedFromTheirClientAndFromReplicas() {
            Signed<Request> request = cluster.request(1, 1, Bytes.utf8("x"));
            accepted(CLIENT, request);
            accepted(REPLICA, request);
            rejected(NodeId.client(0), request, Rejection.WRONG_SENDER);
            rejected(REPLICA, flipped(request), Rejection.BAD_SIGNATURE);
            rejected(new Request(2, 1, 1, 1, -1, List.of(Bytes.EMPTY)), Rejection.UNKNOWN_SIGNER);
        }

        @Test
        void fieldsOutOfRangeAreRejected() {
            List<Bytes> one = List.of(Bytes.EMPTY);
            bad(new Request(1, -1, 1, 1, -1, one));
            bad(new Request(1, 1, 0, 1, -1, one));
            bad(new Request(1, 1, 2, 1, -1, one));
            bad(new Request(1, 1, 1, 0, -1, one));
            bad(new Request(1, 1, 1, Long.MAX_VALUE, -1, one));
            bad(new Request(1, 1, 1, 1, 4, one));
            bad(new Request(1, 1, 1, 1, -2, one));
            bad(new Request(1, 1, 1, 1, -1, List.of()));
            accepted(CLIENT, cluster.sign(new Request(1, 1, 1, Long.MAX_VALUE - 1, 3, one)));
        }

        // Signatures are not looked at: what the codec could not even carry is signed as something else.
        private void bad(Request request) {
            Signature any = cluster.request(1, 1, Bytes.EMPTY).signature();
            rejected(CLIENT, new Signed<>(request, any), Rejection.BAD_REQUEST);
        }

        @Test
        void tooMuchIsRejected() {
            Bytes half = Bytes.wrap(new byte[Limits.OPERATION_BYTES_MAX]);
            bad(new Request(1, 1, 1, 1, -1, List.of(half.concat(Bytes.utf8("x")))));
            bad(new Request(1, 1, 1, 1, -1, List.of(half, half, half, half, Bytes.utf8("x"))));
            bad(new Request(1, 1, 1, 1, -1, Collections.nCopies(Limits.REQUEST_OPERATIONS_MAX + 1, Bytes.EMPTY)));
            accepted(CLIENT, cluster.sign(new Request(1, 1, 1, 1, -1, List.of(half, half, half, half))));
        }
    }

    @Nested
    class Batches {
        @Test
        void proposalsAreAccepted() {
            accepted(REPLICA, cluster.proposal(0, 1, batch()));
            accepted(REPLICA, cluster.proposal(7, 1, Batch.NULL));
            accepted(REPLICA, new BatchBody(batch()));
            rejected(CLIENT, cluster.proposal(0, 1, batch()), Rejection.WRONG_SENDER);
            rejected(CLIENT, new BatchBody(batch()), Rejection.WRONG_SENDER);
        }

        @Test
        void aProposalThatIsNotThePrimarysIsRejected() {
            Signed<PrePrepare> header = cluster.sign(new PrePrepare(1, 1, batch().digest(), 0));
            rejected(REPLICA, new Proposal(header, batch()), Rejection.NOT_BY_PRIMARY);
            rejected(
                    REPLICA,
                    new Proposal(flipped(cluster.proposal(0, 1, batch()).prePrepare()), batch()),
                    Rejection.BAD_SIGNATURE);
        }

        // Trap 5: the digest is computed anew over the very bytes that will be executed.
        @Test
        void aBatchOfAnotherDigestIsRejected() {
            Proposal proposal = cluster.proposal(0, 1, batch());
            Batch other = new Batch(1_001, batch().requests());
            rejected(REPLICA, new Proposal(proposal.prePrepare(), other), Rejection.DIGEST_MISMATCH);
            rejected(REPLICA, new Proposal(proposal.prePrepare(), Batch.NULL), Rejection.DIGEST_MISMATCH);
            Decision decision = new Decision(cluster.committed(0, 1, batch().digest()), other);
            rejected(REPLICA, decision, Rejection.DIGEST_MISMATCH);
        }

        // Trap 73: a primary cannot change what a client asked for, although it signs the batch that says so.
        @Test
        void aRequestThatItsClientDidNotSignIsRejected() {
            Signed<Request> asked = cluster.request(1, 1, Bytes.utf8("+1"));
            Signed<Request> changed = new Signed<>(
                    new Request(1, asked.statement().epoch(), 1, 1, -1, List.of(Bytes.utf8("+1000"))),
                    asked.signature());
            Batch batch = new Batch(1_000, List.of(cluster.request(0, 1, Bytes.utf8("a")), changed));
            rejected(REPLICA, cluster.proposal(0, 1, batch), Rejection.BAD_SIGNATURE);
            rejected(REPLICA, new BatchBody(batch), Rejection.BAD_SIGNATURE);
            rejected(REPLICA, new Decision(cluster.committed(0, 1, batch.digest()), batch), Rejection.BAD_SIGNATURE);
        }

        @Test
        void aRequestThatStandsTwiceIsRejected() {
            Signed<Request> request = cluster.request(1, 1, Bytes.utf8("x"));
            Batch twice = new Batch(1_000, List.of(request, cluster.request(0, 1, Bytes.EMPTY), request));
            rejected(REPLICA, cluster.proposal(0, 1, twice), Rejection.DUPLICATE_REQUEST);
        }

        @Test
        void timeAndRequestsGoTogether() {
            rejected(REPLICA, cluster.proposal(0, 1, new Batch(5, List.of())), Rejection.BAD_BATCH);
            rejected(REPLICA, cluster.proposal(0, 1, new Batch(0, batch().requests())), Rejection.BAD_BATCH);
            rejected(REPLICA, cluster.proposal(0, 1, new Batch(-1, batch().requests())), Rejection.BAD_BATCH);
        }

        @Test
        void tooMuchIsRejected() {
            Bytes large = Bytes.wrap(new byte[Limits.OPERATION_BYTES_MAX]);
            List<Signed<Request>> requests = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                requests.add(cluster.request(1, 1 + 4L * i, large, large, large, large));
            }
            rejected(REPLICA, new BatchBody(new Batch(1, requests)), Rejection.BAD_BATCH);
            Bytes[] empty = new Bytes[Limits.REQUEST_OPERATIONS_MAX];
            Arrays.fill(empty, Bytes.EMPTY);
            List<Signed<Request>> crowds = new ArrayList<>();
            for (int i = 0; i < 9; i++) {
                crowds.add(cluster.request(1, 1 + (long) i * empty.length, empty));
            }
            rejected(REPLICA, new BatchBody(new Batch(1, crowds)), Rejection.BAD_BATCH);
            accepted(REPLICA, new BatchBody(new Batch(1, crowds.subList(0, 8))));
        }

        @Test
        void aBadRequestInABatchIsRejectedBeforeAnySignatureIsChecked() {
            CheapScheme scheme = (CheapScheme) cluster.scheme();
            Signed<Request> bad = cluster.sign(new Request(1, 1, 2, 1, -1, List.of(Bytes.EMPTY)));
            Proposal proposal = cluster.proposal(0, 1, new Batch(1, List.of(bad)));
            long before = scheme.verifications();
            rejected(REPLICA, proposal, Rejection.BAD_REQUEST);
            assertThat(scheme.verifications()).isEqualTo(before);
        }
    }

    @Nested
    class Certificates {
        @ParameterizedTest
        @ValueSource(ints = {4, 5, 6, 7, 10, 13, 31})
        void holdForAnyClusterSize(int replicas) {
            TestCluster any = TestCluster.of(replicas);
            Verifier its = any.verifier();
            assertThat(its.verify(any.prepared(3, 1, DIGEST))).isEmpty();
            assertThat(its.verify(any.committed(3, 1, DIGEST))).isEmpty();
            assertThat(its.verify(any.stable(4, DIGEST))).isEmpty();
            assertThat(its.verify(CheckpointCertificate.GENESIS)).isEmpty();
        }

        private void refused(Optional<Verdict.Rejected> verdict, Rejection reason) {
            assertThat(verdict.map(Verdict.Rejected::reason)).contains(reason);
        }

        @Test
        void preparedNeedsTheRightVotes() {
            PreparedCertificate good = cluster.prepared(0, 1, DIGEST);
            List<Signed<Prepare>> prepares = good.prepares();
            refused(prepared(good, prepares.subList(1, 2)), Rejection.WRONG_COUNT);
            List<Signed<Prepare>> three = new ArrayList<>(prepares);
            three.add(cluster.sign(new Prepare(0, 1, DIGEST, 3)));
            refused(prepared(good, three), Rejection.WRONG_COUNT);
            refused(prepared(good, reversed(prepares)), Rejection.NOT_ASCENDING);
            // Trap 2: one sender twice.
            refused(prepared(good, replaced(prepares, 1, prepares.get(0))), Rejection.NOT_ASCENDING);
            // Trap 3: the primary among the backups.
            Signed<Prepare> primarys = cluster.sign(new Prepare(0, 1, DIGEST, 0));
            refused(prepared(good, replaced(prepares, 0, primarys)), Rejection.PREPARE_BY_PRIMARY);
            refused(prepared(good, replaced(prepares, 1, vote(0, 1, OTHER))), Rejection.VOTE_MISMATCH);
            refused(prepared(good, replaced(prepares, 1, vote(0, 2, DIGEST))), Rejection.VOTE_MISMATCH);
            refused(prepared(good, replaced(prepares, 1, vote(4, 1, DIGEST))), Rejection.VOTE_MISMATCH);
            Signed<Prepare> strangers = cluster.sign(new Prepare(0, 1, DIGEST, 9));
            refused(prepared(good, replaced(prepares, 1, strangers)), Rejection.UNKNOWN_SIGNER);
            Signed<PrePrepare> backups = cluster.sign(new PrePrepare(0, 1, DIGEST, 1));
            refused(verifier.verify(new PreparedCertificate(backups, prepares)), Rejection.NOT_BY_PRIMARY);
        }

        private Signed<Prepare> vote(long view, long seq, Digest digest) {
            return cluster.sign(new Prepare(view, seq, digest, 2));
        }

        private Optional<Verdict.Rejected> prepared(PreparedCertificate good, List<Signed<Prepare>> prepares) {
            return verifier.verify(new PreparedCertificate(good.prePrepare(), prepares));
        }

        @Test
        void committedNeedsTheRightVotes() {
            List<Signed<Commit>> commits = cluster.committed(0, 1, DIGEST).commits();
            refused(committed(commits.subList(0, 2)), Rejection.WRONG_COUNT);
            refused(committed(reversed(commits)), Rejection.NOT_ASCENDING);
            refused(committed(replaced(commits, 1, commits.get(0))), Rejection.NOT_ASCENDING);
            refused(committed(replaced(commits, 1, flipped(commits.get(1)))), Rejection.BAD_SIGNATURE);
            Signed<Commit> differs = cluster.sign(new Commit(1, 1, DIGEST, 1));
            refused(committed(replaced(commits, 1, differs)), Rejection.VOTE_MISMATCH);
            refused(committed(replaced(commits, 2, cluster.sign(new Commit(0, 1, OTHER, 2)))), Rejection.VOTE_MISMATCH);
            Decision decision = new Decision(cluster.committed(2, 9, batch().digest()), batch());
            accepted(REPLICA, decision);
            rejected(CLIENT, decision, Rejection.WRONG_SENDER);
        }

        private Optional<Verdict.Rejected> committed(List<Signed<Commit>> commits) {
            return verifier.verify(new CommitCertificate(0, 1, DIGEST, commits));
        }

        @Test
        void stableNeedsTheRightVotes() {
            List<Signed<Checkpoint>> proof = cluster.stable(4, DIGEST).proof();
            refused(stable(4, DIGEST, proof.subList(0, 2)), Rejection.WRONG_COUNT);
            refused(stable(4, DIGEST, reversed(proof)), Rejection.NOT_ASCENDING);
            refused(stable(4, DIGEST, replaced(proof, 1, proof.get(0))), Rejection.NOT_ASCENDING);
            refused(stable(4, OTHER, proof), Rejection.VOTE_MISMATCH);
            refused(stable(8, DIGEST, proof), Rejection.VOTE_MISMATCH);
            refused(stable(5, DIGEST, proof), Rejection.VOTE_MISMATCH);
            refused(stable(0, DIGEST, List.of()), Rejection.BAD_GENESIS);
            refused(stable(0, Digest.ZERO, proof), Rejection.BAD_GENESIS);
            refused(stable(4, DIGEST, replaced(proof, 2, flipped(proof.get(2)))), Rejection.BAD_SIGNATURE);
            accepted(REPLICA, new StableProof(cluster.stable(4, DIGEST)));
            rejected(CLIENT, new StableProof(cluster.stable(4, DIGEST)), Rejection.WRONG_SENDER);
        }

        private Optional<Verdict.Rejected> stable(long seq, Digest state, List<Signed<Checkpoint>> proof) {
            return verifier.verify(new CheckpointCertificate(seq, state, proof));
        }
    }

    /** Trap 11: everything in a VIEW-CHANGE is verified, and one bad part makes all of it bad. */
    @Nested
    class ViewChanges {
        private final CheckpointCertificate stable = cluster.stable(4, DIGEST);
        private final List<PreparedCertificate> prepared =
                List.of(cluster.prepared(0, 5, DIGEST), cluster.prepared(1, 6, DIGEST), cluster.prepared(0, 20, OTHER));

        @Test
        void areAccepted() {
            accepted(REPLICA, cluster.sign(new ViewChange(2, stable, prepared, 1)));
            accepted(REPLICA, cluster.sign(new ViewChange(1, CheckpointCertificate.GENESIS, List.of(), 3)));
            rejected(CLIENT, cluster.sign(new ViewChange(2, stable, prepared, 1)), Rejection.WRONG_SENDER);
        }

        @Test
        void mustBeWhole() {
            rejected(new ViewChange(0, stable, List.of(), 1), Rejection.BAD_VIEW);
            rejected(new ViewChange(1, stable, prepared, 1), Rejection.BAD_VIEW);
            rejected(new ViewChange(2, stable, reversed(prepared), 1), Rejection.NOT_ASCENDING);
            rejected(new ViewChange(2, stable, List.of(prepared.get(0), prepared.get(0)), 1), Rejection.NOT_ASCENDING);
            rejected(new ViewChange(2, stable, List.of(cluster.prepared(0, 4, DIGEST)), 1), Rejection.BAD_SEQ);
            rejected(new ViewChange(2, stable, List.of(cluster.prepared(0, 21, DIGEST)), 1), Rejection.BAD_SEQ);
            CheckpointCertificate weak =
                    new CheckpointCertificate(4, DIGEST, stable.proof().subList(0, 2));
            rejected(new ViewChange(2, weak, prepared, 1), Rejection.WRONG_COUNT);
        }

        @Test
        void everyNestedSignatureIsChecked() {
            int nested = 0;
            for (Signed<ViewChange> bad : flippedInside(new ViewChange(2, stable, prepared, 1))) {
                rejected(REPLICA, bad, Rejection.BAD_SIGNATURE);
                nested++;
            }
            assertThat(nested).isEqualTo(3 + 3 * 3);
            rejected(REPLICA, flipped(cluster.sign(new ViewChange(2, stable, prepared, 1))), Rejection.BAD_SIGNATURE);
        }

        /** One for each nested signature, with a bit of it flipped; the whole is signed anew. */
        private List<Signed<ViewChange>> flippedInside(ViewChange good) {
            List<Signed<ViewChange>> all = new ArrayList<>();
            List<Signed<Checkpoint>> proof = good.stable().proof();
            for (int i = 0; i < proof.size(); i++) {
                CheckpointCertificate bad = new CheckpointCertificate(
                        good.stable().seq(), good.stable().state(), replaced(proof, i, flipped(proof.get(i))));
                all.add(cluster.sign(new ViewChange(good.view(), bad, good.prepared(), good.replica())));
            }
            for (int p = 0; p < good.prepared().size(); p++) {
                PreparedCertificate certificate = good.prepared().get(p);
                List<PreparedCertificate> variants = new ArrayList<>();
                variants.add(new PreparedCertificate(flipped(certificate.prePrepare()), certificate.prepares()));
                List<Signed<Prepare>> prepares = certificate.prepares();
                for (int i = 0; i < prepares.size(); i++) {
                    variants.add(new PreparedCertificate(
                            certificate.prePrepare(), replaced(prepares, i, flipped(prepares.get(i)))));
                }
                for (PreparedCertificate variant : variants) {
                    all.add(cluster.sign(new ViewChange(
                            good.view(), good.stable(), replaced(good.prepared(), p, variant), good.replica())));
                }
            }
            return all;
        }

        @Test
        void everyNestedSignatureOfANewViewIsChecked() {
            NewView good = cluster.newView(2, stable, prepared, List.of(5L, 6L)).statement();
            accepted(REPLICA, cluster.sign(good));
            for (int i = 0; i < good.viewChanges().size(); i++) {
                Signed<ViewChange> change = good.viewChanges().get(i);
                List<Signed<ViewChange>> variants = flippedInside(change.statement());
                variants.add(flipped(change));
                for (Signed<ViewChange> variant : variants) {
                    rejected(
                            REPLICA,
                            cluster.sign(new NewView(2, replaced(good.viewChanges(), i, variant), good.proposals(), 2)),
                            Rejection.BAD_SIGNATURE);
                }
            }
            for (int i = 0; i < good.proposals().size(); i++) {
                List<Signed<PrePrepare>> proposals =
                        replaced(good.proposals(), i, flipped(good.proposals().get(i)));
                rejected(
                        REPLICA,
                        cluster.sign(new NewView(2, good.viewChanges(), proposals, 2)),
                        Rejection.BAD_SIGNATURE);
            }
            rejected(REPLICA, flipped(cluster.sign(good)), Rejection.BAD_SIGNATURE);
        }

        /** Trap 77: senders in V not de-duplicated; entries of O not checked for sender and view. */
        @Test
        void aNewViewMustBeWhole() {
            NewView good = cluster.newView(2, stable, prepared, List.of(5L, 6L)).statement();
            List<Signed<ViewChange>> changes = good.viewChanges();
            List<Signed<PrePrepare>> o = good.proposals();
            rejected(new NewView(2, changes, o, 1), Rejection.NOT_BY_PRIMARY);
            rejected(new NewView(0, changes, o, 0), Rejection.BAD_VIEW);
            rejected(new NewView(6, changes, o, 2), Rejection.BAD_VIEW);
            rejected(new NewView(2, changes.subList(0, 2), o, 2), Rejection.WRONG_COUNT);
            rejected(new NewView(2, reversed(changes), o, 2), Rejection.NOT_ASCENDING);
            rejected(new NewView(2, replaced(changes, 1, changes.get(0)), o, 2), Rejection.NOT_ASCENDING);
            Signed<ViewChange> later = cluster.sign(new ViewChange(3, stable, prepared, 1));
            rejected(new NewView(2, replaced(changes, 1, later), o, 2), Rejection.BAD_VIEW);
            Signed<ViewChange> strangers = cluster.sign(new ViewChange(2, stable, prepared, 7));
            rejected(new NewView(2, replaced(changes, 2, strangers), o, 2), Rejection.UNKNOWN_SIGNER);
            rejected(new NewView(2, changes, reversed(o), 2), Rejection.NOT_ASCENDING);
            rejected(new NewView(2, changes, List.of(o.get(0), o.get(0)), 2), Rejection.NOT_ASCENDING);
            Signed<PrePrepare> others = cluster.sign(new PrePrepare(2, 6, DIGEST, 3));
            rejected(new NewView(2, changes, replaced(o, 1, others), 2), Rejection.NOT_BY_PRIMARY);
            Signed<PrePrepare> older = cluster.sign(new PrePrepare(1, 6, DIGEST, 1));
            rejected(new NewView(2, changes, replaced(o, 1, older), 2), Rejection.BAD_VIEW);
            List<Signed<PrePrepare>> many = new ArrayList<>();
            for (long seq = 5; seq <= 5 + 16; seq++) {
                many.add(cluster.sign(new PrePrepare(2, seq, DIGEST, 2)));
            }
            rejected(new NewView(2, changes, many, 2), Rejection.WRONG_COUNT);
        }

        @Test
        void aStructuralFaultCostsNoSignature() {
            CheapScheme scheme = (CheapScheme) cluster.scheme();
            Signed<ViewChange> bad = cluster.sign(new ViewChange(2, stable, reversed(prepared), 1));
            long before = scheme.verifications();
            rejected(REPLICA, bad, Rejection.NOT_ASCENDING);
            assertThat(scheme.verifications()).isEqualTo(before);
        }

        @Test
        void aForgedOuterSignatureCostsOneVerification() {
            CheapScheme scheme = (CheapScheme) cluster.scheme();
            Signed<ViewChange> bad = flipped(cluster.sign(new ViewChange(2, stable, prepared, 1)));
            long before = scheme.verifications();
            rejected(REPLICA, bad, Rejection.BAD_SIGNATURE);
            assertThat(scheme.verifications()).isEqualTo(before + 1);
        }
    }

    @Nested
    class Replies {
        private final Bytes result = Bytes.utf8("result");
        private final List<ReplyLeaf> leaves = List.of(leaf(0, 1), leaf(1, 1), leaf(1, 2), leaf(0, 2), leaf(1, 3));
        private final MerkleTree tree = MerkleTree.of(leaves.stream()
                .map(leaf -> MerkleTree.leafHash(Codec.leafBytes(leaf)))
                .toList());
        private final Signed<ReplyRoot> root = cluster.sign(new ReplyRoot(0, tree.root(), leaves.size(), 3));

        private ReplyLeaf leaf(int client, long number) {
            return new ReplyLeaf(client, 1, number, 9, 1_000, DIGEST, Outcome.EXECUTED, Digest.of(result));
        }

        private Item item(int index, Optional<Bytes> content) {
            return new Item(leaves.get(index), content, index, tree.path(index));
        }

        @Test
        void areAcceptedInFullAndAsDigests() {
            accepted(
                    NodeId.replica(3),
                    new Reply(root, List.of(item(1, Optional.of(result)), item(2, Optional.empty()))));
            accepted(NodeId.replica(3), new Reply(root, List.of(item(4, Optional.of(result)))));
        }

        // Trap 72: the signature says whose reply it is, not the sender.
        @Test
        void aReplyInTheNameOfAnotherReplicaIsRejected() {
            NodeId liar = NodeId.replica(2);
            Signed<ReplyRoot> asReplicaThree = new Signed<>(
                    root.statement(),
                    cluster.sealer(liar)
                            .seal(new ReplyRoot(0, tree.root(), leaves.size(), 2))
                            .message()
                            .signature());
            rejected(liar, new Reply(asReplicaThree, List.of(item(1, Optional.of(result)))), Rejection.BAD_SIGNATURE);
        }

        @Test
        void whatTheRootDoesNotCoverIsRejected() {
            NodeId from = NodeId.replica(3);
            Item good = item(1, Optional.of(result));
            rejected(
                    from,
                    new Reply(root, List.of(new Item(leaf(1, 9), good.result(), 1, good.path()))),
                    Rejection.BAD_PATH);
            rejected(
                    from,
                    new Reply(root, List.of(new Item(good.leaf(), good.result(), 2, good.path()))),
                    Rejection.BAD_PATH);
            rejected(
                    from,
                    new Reply(root, List.of(new Item(good.leaf(), good.result(), 1, List.of()))),
                    Rejection.BAD_PATH);
            rejected(
                    from,
                    new Reply(root, List.of(new Item(good.leaf(), good.result(), 1, replaced(good.path(), 1, OTHER)))),
                    Rejection.BAD_PATH);
            rejected(
                    from,
                    new Reply(root, List.of(new Item(good.leaf(), Optional.of(Bytes.utf8("lie")), 1, good.path()))),
                    Rejection.DIGEST_MISMATCH);
            rejected(from, new Reply(root, List.of(good, good)), Rejection.NOT_ASCENDING);
            rejected(from, new Reply(flipped(root), List.of(good)), Rejection.BAD_SIGNATURE);
            rejected(CLIENT, new Reply(root, List.of(good)), Rejection.WRONG_SENDER);
        }

        @Test
        void aClientTakesItsOwnAlone() {
            Verifier its = new Verifier(VerifierContext.of(cluster.config()).withSelf(CLIENT), cluster.scheme(), 10);
            assertThat(its.verify(REPLICA, new Reply(root, List.of(item(1, Optional.empty())))))
                    .isInstanceOf(Verdict.Accepted.class);
            Verdict verdict = its.verify(REPLICA, new Reply(root, List.of(item(0, Optional.empty()))));
            assertThat(((Verdict.Rejected) verdict).reason()).isEqualTo(Rejection.WRONG_CLIENT);
        }

        @Test
        void readRepliesAreCheckedAgainstTheirDigest() {
            accepted(REPLICA, new ReadReply(1, 1, 1, Outcome.EXECUTED, Digest.of(result), Optional.of(result)));
            accepted(REPLICA, new ReadReply(1, 1, 1, Outcome.FAILED, DIGEST, Optional.empty()));
            rejected(
                    REPLICA,
                    new ReadReply(1, 1, 1, Outcome.EXECUTED, DIGEST, Optional.of(result)),
                    Rejection.DIGEST_MISMATCH);
            rejected(
                    REPLICA,
                    new ReadReply(1, 1, 1, Outcome.OUT_OF_WINDOW, DIGEST, Optional.empty()),
                    Rejection.BAD_FIELD);
        }
    }

    @Nested
    class UnsignedRecords {
        private final List<Message> replicas = List.of(
                new Status(1, true, 2, 0, false),
                new Refusal(1, 1, Refusal.Reason.OVERLOADED),
                new BatchFetch(List.of(DIGEST)),
                new StateFetch(4, List.of(Bytes.EMPTY)),
                new StateNodes(4, true, List.of(new StateNodes.Node(Bytes.EMPTY, Bytes.EMPTY))),
                new ReadReply(1, 1, 1, Outcome.EXECUTED, DIGEST, Optional.empty()));
        private final List<Message> clients =
                List.of(new ReadRequest(1, true, true, Bytes.EMPTY), new ReplyFetch(1, 1));

        @Test
        void areTakenFromTheRightKindOfNode() {
            for (Message message : replicas) {
                accepted(REPLICA, message);
                rejected(CLIENT, message, Rejection.WRONG_SENDER);
            }
            for (Message message : clients) {
                accepted(CLIENT, message);
                rejected(REPLICA, message, Rejection.WRONG_SENDER);
            }
        }

        @Test
        void fieldsOutOfRangeAreRejected() {
            rejected(REPLICA, new Status(-1, true, 2, 0, false), Rejection.BAD_FIELD);
            rejected(REPLICA, new Status(1, true, 2, 0, false, -1), Rejection.BAD_FIELD);
            rejected(CLIENT, new ReplyFetch(1, -1), Rejection.BAD_FIELD);
            rejected(
                    REPLICA,
                    new StateNodes(4, false, List.of(new StateNodes.Node(Bytes.EMPTY, Bytes.EMPTY))),
                    Rejection.BAD_FIELD);
            rejected(
                    REPLICA,
                    new BatchFetch(Collections.nCopies(Limits.FETCH_BATCHES_MAX + 1, DIGEST)),
                    Rejection.BAD_FIELD);
        }
    }
}
