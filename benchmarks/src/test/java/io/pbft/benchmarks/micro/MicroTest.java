package io.pbft.benchmarks.micro;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Each benchmark once, so that none of them measures an error. */
class MicroTest {
    @Test
    void signatures() {
        SignatureBench bench = new SignatureBench();
        bench.leaves = 5;
        bench.setUp();
        assertThat(bench.sign()).isNotNull();
        assertThat(bench.verify()).isTrue();
        assertThat(bench.merkleVerify()).isTrue();
        assertThat(bench.merklePath()).isNotEmpty();
        assertThat(bench.merkleRoot()).isNotNull();
    }

    @Test
    void encoding() {
        CodecBench bench = new CodecBench();
        bench.requests = 100;
        bench.setUp();
        assertThat(bench.decodeVote()).isNotNull();
        assertThat(bench.decodeProposal()).isNotNull();
        assertThat(bench.encodeVote()).isNotEmpty();
        assertThat(bench.encodeProposal()).hasSizeGreaterThan(100 * 100);
        assertThat(bench.batchDigest()).isNotNull();
    }

    /** Past two checkpoints, so that the window moves. */
    @Test
    void theCoreGoesOnForEver() {
        CoreBench bench = new CoreBench();
        bench.operations = 2;
        bench.setUp();
        for (long seq = 1; seq <= 600; seq++) {
            assertThat(bench.sequenceNumber()).isEqualTo(seq);
        }
    }

    @Test
    void theDisk() throws Exception {
        StorageBench bench = new StorageBench();
        bench.changed = 10;
        bench.setUp();
        try {
            bench.journalSynchronised();
            bench.journalGroupOfHundred();
            assertThat(bench.fileNotSynchronised()).isPositive();
            assertThat(bench.checkpointOfChangedKeys()).isPositive();
        } finally {
            bench.tearDown();
        }
    }
}
