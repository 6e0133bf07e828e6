package io.pbft.simulator.check;

import io.pbft.protocol.Equivocation;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Watches what replicas keep as evidence: two statements of one signer that conflict, both signatures real, and the signer
 * faulty. A correct replica is never named, whatever crashes, rejoins and liars did, not even by a liar's core.
 */
final class Evidence {
    private final Findings findings;
    private final Set<Integer> faulty;
    private final Predicate<Signed<?>> isSigned;
    private final Consumer<String> probe;

    /**
     * @param isSigned whether a signature is its signer's, found out anew
     * @param probe hears of each time that a correct replica names a faulty one
     */
    Evidence(Findings findings, Set<Integer> faulty, Predicate<Signed<?>> isSigned, Consumer<String> probe) {
        this.findings = findings;
        this.faulty = Set.copyOf(faulty);
        this.isSigned = isSigned;
        this.probe = probe;
    }

    void accused(int replica, Signed<?> first, Signed<?> second) {
        Statement a = first.statement();
        Statement b = second.statement();
        String what = "replica " + replica + " holds " + a + " and " + b;
        if (!Equivocation.conflicts(a, b)) {
            findings.report(Check.EVIDENCE, what + ", which do not conflict");
        } else if (!isSigned.test(first) || !isSigned.test(second)) {
            findings.report(Check.EVIDENCE, what + ", not signed by " + a.signer());
        } else if (!faulty.contains(a.signer().index())) {
            findings.report(Check.EVIDENCE, what + " against " + a.signer() + ", which is correct");
        } else if (!faulty.contains(replica)) {
            probe.accept(Probes.NAMED);
        }
    }
}
