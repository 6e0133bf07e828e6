package io.pbft.simulator.transcript;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Reply;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;
import java.util.Map;
import java.util.TreeMap;

/**
 * Messages in a few words. Digests have names in the order of their appearance, so that a change of the encoding changes no
 * transcript.
 */
final class MessageText {
    private final Map<Digest, String> names = new TreeMap<>();

    String name(Digest digest) {
        if (digest.equals(Digest.ZERO)) {
            return "zero";
        }
        return names.computeIfAbsent(digest, unknown -> "d" + (names.size() + 1));
    }

    String of(Message message) {
        return message.type() + fields(message);
    }

    private String fields(Message message) {
        if (message instanceof Signed<?> signed) {
            return statement(signed);
        } else if (message instanceof Proposal m) {
            return statement(m.prePrepare()) + " " + batch(m.batch());
        } else if (message instanceof Reply m) {
            StringBuilder text = new StringBuilder();
            for (Reply.Item item : m.items()) {
                text.append(" #")
                        .append(item.leaf().number())
                        .append(" at ")
                        .append(item.leaf().seq())
                        .append(" = ");
                text.append(item.result().map(Bytes::toUtf8).orElse("(digest)"));
            }
            return text.toString();
        } else if (message instanceof Status m) {
            return " view " + m.view() + " executed " + m.lastExecuted() + " stable " + m.stable();
        } else if (message instanceof Decision m) {
            return " view " + m.certificate().view() + " seq " + m.certificate().seq() + " "
                    + name(m.certificate().digest());
        } else if (message instanceof StableProof m) {
            return " seq " + m.certificate().seq() + " state "
                    + name(m.certificate().state());
        } else if (message instanceof BatchBody m) {
            return " " + batch(m.batch());
        } else if (message instanceof BatchFetch m) {
            return " " + m.digests().stream().map(this::name).toList();
        } else if (message instanceof StateFetch m) {
            return " seq " + m.seq() + " nodes " + m.paths().size();
        } else if (message instanceof StateNodes m) {
            return " seq " + m.seq() + " nodes " + m.nodes().size();
        }
        return "";
    }

    private String statement(Signed<?> signed) {
        if (signed.statement() instanceof Vote s) {
            return " view " + s.view() + " seq " + s.seq() + " " + name(s.digest());
        } else if (signed.statement() instanceof Request s) {
            return " " + request(s);
        } else if (signed.statement() instanceof Checkpoint s) {
            return " seq " + s.seq() + " state " + name(s.state());
        } else if (signed.statement() instanceof ViewChange s) {
            return " to view " + s.view() + ", stable " + s.stable().seq() + ", prepared "
                    + s.prepared().stream()
                            .map(c -> "seq " + c.seq() + " in view " + c.view() + " " + name(c.digest()))
                            .toList();
        } else if (signed.statement() instanceof NewView s) {
            return " view " + s.view() + ", from "
                    + s.viewChanges().stream()
                            .map(change -> change.statement().replica())
                            .toList()
                    + ", proposes "
                    + s.proposals().stream()
                            .map(p -> "seq " + p.statement().seq() + " "
                                    + name(p.statement().digest()))
                            .toList();
        }
        return "";
    }

    private static String batch(Batch batch) {
        return batch.requests().stream()
                .map(r -> request(r.statement()))
                .toList()
                .toString();
    }

    private static String request(Request r) {
        return "c" + r.client() + "#" + r.first() + " "
                + String.join(" ", r.operations().stream().map(Bytes::toUtf8).toList());
    }
}
