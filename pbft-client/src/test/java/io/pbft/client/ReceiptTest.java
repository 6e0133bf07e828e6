package io.pbft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.client.core.Answer;
import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.Request;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

@Timeout(120)
class ReceiptTest {
    private static final Logger LOG = LoggerFactory.getLogger(ReceiptTest.class);
    private static final Path DOCUMENT = Path.of("..", "docs", "receipts.md");
    private static final Path SCRIPT = Path.of("..", "examples", "verify_receipt.py");
    private static final Bytes OPERATION = Bytes.utf8("transfer 5 from a to b");
    private static final Bytes RESULT = Bytes.utf8("done");

    private final TestCluster cluster = new TestCluster(4);
    private final Request request = new Request(0, 1_782_579_200_000L << 20, 1, 42, -1, List.of(OPERATION));
    private final ReplyLeaf leaf = TestCluster.leaf(request, 0, 1_234, Outcome.EXECUTED, RESULT);

    private Answer.Attestation attestation(int replica, long view, List<ReplyLeaf> neighbours) {
        List<ReplyLeaf> leaves = new ArrayList<>(neighbours);
        leaves.add(leaf);
        List<Optional<Bytes>> none =
                leaves.stream().map(one -> Optional.<Bytes>empty()).toList();
        Reply reply = cluster.reply(replica, view, leaves, none);
        Reply.Item item = reply.items().get(neighbours.size());
        return new Answer.Attestation(reply.root(), item.index(), item.path());
    }

    private Receipt receipt(Answer.Attestation... attestations) {
        return Receipt.of(cluster.config().clusterId(), OPERATION, new Answer(leaf, RESULT, List.of(attestations)));
    }

    private Receipt example() {
        return receipt(attestation(1, 3, List.of()), attestation(2, 3, List.of()));
    }

    private Receipt.Verdict verify(Bytes encoding) {
        return Receipt.verify(cluster.config(), TestCluster.SCHEME, encoding);
    }

    private String why(Receipt receipt) {
        return verify(receipt.encode()).reason();
    }

    @Test
    void fPlusOneSignaturesUnderOneTreeShareItsPath() {
        Receipt receipt = example();

        assertThat(verify(receipt.encode())).isEqualTo(new Receipt.Verdict(true, ""));
        assertThat(receipt.trees()).hasSize(1);
        assertThat(Receipt.decode(receipt.encode())).isEqualTo(receipt);
    }

    @Test
    void treesThatDifferStandSideBySide() {
        Receipt receipt = receipt(attestation(1, 3, List.of()), attestation(3, 4, List.of(leaf, leaf, leaf)));

        assertThat(receipt.trees()).hasSize(2);
        assertThat(verify(receipt.encode()).valid()).isTrue();
        assertThat(Receipt.decode(receipt.encode())).isEqualTo(receipt);
    }

    @Test
    void theExampleInTheDocumentIsOurs() throws IOException {
        String document = Files.readString(DOCUMENT, StandardCharsets.UTF_8);
        String block = document.substring(document.indexOf("```hex") + 6);
        String hex = block.substring(0, block.indexOf("```"))
                .lines()
                .map(line -> line.replaceAll("#.*", "").replaceAll("\\s", ""))
                .collect(Collectors.joining());

        assertThat(hex).isEqualTo(example().encode().toHex());
        assertThat(document).contains("(" + example().encode().size() + " bytes)");
    }

    @Test
    void whateverIsNotWholeIsNotValidAndSaysWhy() {
        Answer.Attestation one = attestation(1, 3, List.of());
        assertThat(why(receipt(one))).contains("1 signatures; 2 are needed");
        assertThat(why(receipt(one, one))).contains("replica 1 stands in it twice");
        assertThat(why(receipt())).contains("0 signatures");
        Receipt good = example();
        Receipt.Tree tree = good.trees().get(0);
        assertThat(why(new Receipt(Digest.ZERO, leaf, OPERATION, RESULT, good.trees())))
                .contains("it is of cluster 00");
        assertThat(why(new Receipt(good.clusterId(), leaf, RESULT, RESULT, good.trees())))
                .contains("the operation's bytes");
        assertThat(why(new Receipt(good.clusterId(), leaf, OPERATION, OPERATION, good.trees())))
                .contains("the result's bytes");
        Receipt.Tree longer = new Receipt.Tree(1, 0, tree.path(), tree.signatories());
        assertThat(why(new Receipt(good.clusterId(), leaf, OPERATION, RESULT, List.of(longer))))
                .contains("no tree of 1 leaves");
        Receipt.Signatory stranger =
                new Receipt.Signatory(4, 3, tree.signatories().get(0).signature());
        Receipt.Tree strange = new Receipt.Tree(tree.leaves(), tree.index(), tree.path(), List.of(stranger));
        assertThat(why(new Receipt(good.clusterId(), leaf, OPERATION, RESULT, List.of(strange))))
                .contains("no replica 4");
        assertThat(new TestCluster(4, "another").config().clusterId()).isNotEqualTo(good.clusterId());
    }

    @Test
    void bytesThatAreNoReceiptAreRefusedWithAReason() {
        assertThatThrownBy(() -> Receipt.decode(Bytes.EMPTY)).isInstanceOf(Receipt.MalformedReceipt.class);
        assertThatThrownBy(() -> Receipt.decode(Bytes.utf8("PBFTRCPT\u0002"))).hasMessageContaining("version 2");
        assertThatThrownBy(() -> Receipt.decode(Bytes.utf8("something else")))
                .hasMessageContaining("does not begin with PBFTRCPT");
        assertThatThrownBy(() -> Receipt.decode(example().encode().concat(Bytes.utf8("x"))))
                .hasMessageContaining("1 bytes follow");
    }

    @Test
    void noBitCanBeChangedAndNoByteCutOff() {
        byte[] good = example().encode().toByteArray();
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= (byte) (1 << i % 8);
            assertThat(verify(Bytes.wrap(bad)).valid()).as("byte " + i).isFalse();
            assertThat(verify(Bytes.copyOf(good, 0, i)).valid())
                    .as("cut at " + i)
                    .isFalse();
        }
    }

    @Test
    void theIndependentVerifierAgreesOnValidAndOnTamperedReceipts(@TempDir Path dir) throws Exception {
        Assumptions.assumeTrue(
                pythonIsHere(), "python3 is not on this machine: the independent verifier was NOT tried");
        cluster.config().write(dir.resolve("cluster.json"));
        List<Bytes> cases = new ArrayList<>();
        cases.add(example().encode());
        cases.add(receipt(attestation(1, 3, List.of()), attestation(3, 4, List.of(leaf, leaf, leaf)))
                .encode());
        cases.add(receipt(attestation(1, 3, List.of())).encode());
        SplittableRandom random = new SplittableRandom(1);
        byte[] good = example().encode().toByteArray();
        for (int i = 0; i < good.length; i += 2) {
            byte[] bad = good.clone();
            bad[i] ^= (byte) (1 << random.nextInt(8));
            cases.add(Bytes.wrap(bad));
        }
        List<String> command = new ArrayList<>(List.of(
                "python3", "-B", SCRIPT.toString(), dir.resolve("cluster.json").toString()));
        for (int i = 0; i < cases.size(); i++) {
            Path file = dir.resolve("receipt-" + i);
            Files.write(file, cases.get(i).toByteArray());
            command.add(file.toString());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor()).isEqualTo(1);

        assertThat(lines).hasSameSizeAs(cases);
        for (int i = 0; i < cases.size(); i++) {
            boolean theirs = !lines.get(i).startsWith("not valid: ");
            assertThat(theirs)
                    .as("receipt " + i + ": " + lines.get(i))
                    .isEqualTo(verify(cases.get(i)).valid());
        }
        assertThat(lines.get(0)).contains("\"seq\": 1234", RESULT.toHex(), "\"replicas\": [1, 2]");
    }

    @Test
    void aLeafThatTheReceiptHoldsIsEncodedAsTheReplicasHashIt() {
        Bytes encoding = example().encode();

        assertThat(encoding.slice(41, 142)).isEqualTo(Bytes.wrap(Codec.leafBytes(leaf)));
    }

    private static boolean pythonIsHere() throws InterruptedException {
        try {
            Process process = new ProcessBuilder("python3", "-c", "pass").start();
            return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            LOG.error("python3 is not on this machine: the independent verifier of receipts is NOT tried", e);
            return false;
        }
    }
}
