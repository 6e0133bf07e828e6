package io.pbft.simulator.world;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.Reply;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;

/** Messages as the fields of a trace line: what a reader looks for, with names that are the same in every type. */
final class Describe {
    private Describe() {}

    static void fields(Message message, StringBuilder out) {
        out.append("\"m\":\"").append(message.type()).append('"');
        if (message instanceof Signed<?> signed) {
            statement(signed, out);
        } else if (message instanceof Proposal m) {
            statement(m.prePrepare(), out);
            batch(m.batch(), out);
        } else if (message instanceof Reply m) {
            number(out, "view", m.root().statement().view());
            number(out, "by", m.root().statement().replica());
            reply(m, out);
        } else if (message instanceof ReadRequest m) {
            number(out, "nonce", m.nonce());
        } else if (message instanceof ReadReply m) {
            number(out, "nonce", m.nonce());
            number(out, "seq", m.seq());
            digest(out, m.digest());
        } else if (message instanceof Refusal m) {
            number(out, "epoch", m.epoch());
            number(out, "number", m.number());
            out.append(",\"reason\":\"").append(m.reason()).append('"');
        } else if (message instanceof Status m) {
            number(out, "view", m.view());
            number(out, "executed", m.lastExecuted());
            number(out, "stable", m.stable());
            out.append(m.changingView() ? ",\"changing\":true" : "");
        } else if (message instanceof Decision m) {
            number(out, "view", m.certificate().view());
            number(out, "seq", m.certificate().seq());
            digest(out, m.certificate().digest());
        } else if (message instanceof StableProof m) {
            number(out, "seq", m.certificate().seq());
            digest(out, m.certificate().state());
        } else if (message instanceof BatchBody m) {
            batch(m.batch(), out);
        } else if (message instanceof BatchFetch m) {
            number(out, "count", m.digests().size());
        } else if (message instanceof StateFetch m) {
            number(out, "seq", m.seq());
            number(out, "count", m.paths().size());
        } else if (message instanceof StateNodes m) {
            number(out, "seq", m.seq());
            number(out, "count", m.nodes().size());
        }
    }

    private static void statement(Signed<?> signed, StringBuilder out) {
        if (signed.statement() instanceof Vote s) {
            number(out, "view", s.view());
            number(out, "seq", s.seq());
            digest(out, s.digest());
            number(out, "by", s.replica());
        } else if (signed.statement() instanceof Request s) {
            number(out, "client", s.client());
            number(out, "first", s.first());
            number(out, "count", s.operations().size());
        } else if (signed.statement() instanceof Checkpoint s) {
            number(out, "seq", s.seq());
            digest(out, s.state());
            number(out, "by", s.replica());
        } else if (signed.statement() instanceof ViewChange s) {
            number(out, "view", s.view());
            number(out, "stable", s.stable().seq());
            out.append(",\"prepared\":\"");
            String separator = "";
            for (PreparedCertificate c : s.prepared()) {
                out.append(separator)
                        .append(c.seq())
                        .append('@')
                        .append(c.view())
                        .append(':')
                        .append(c.digest());
                separator = " ";
            }
            out.append('"');
            number(out, "by", s.replica());
        } else if (signed.statement() instanceof NewView s) {
            number(out, "view", s.view());
            out.append(",\"changesOf\":\"");
            String separator = "";
            for (Signed<ViewChange> viewChange : s.viewChanges()) {
                out.append(separator).append(viewChange.statement().replica());
                separator = " ";
            }
            out.append('"');
            number(out, "count", s.proposals().size());
            number(out, "by", s.replica());
        }
    }

    private static void batch(Batch batch, StringBuilder out) {
        number(out, "time", batch.timeMillis());
        out.append(",\"requests\":\"");
        String separator = "";
        for (Signed<Request> request : batch.requests()) {
            Request r = request.statement();
            out.append(separator).append(r.client()).append('#').append(r.first());
            separator = " ";
        }
        out.append('"');
    }

    private static void reply(Reply reply, StringBuilder out) {
        out.append(",\"items\":\"");
        String separator = "";
        for (Reply.Item item : reply.items()) {
            out.append(separator)
                    .append('#')
                    .append(item.leaf().number())
                    .append('=')
                    .append(item.leaf().result());
            separator = " ";
        }
        out.append('"');
    }

    private static void number(StringBuilder out, String name, long value) {
        out.append(",\"").append(name).append("\":").append(value);
    }

    private static void digest(StringBuilder out, Digest digest) {
        out.append(",\"digest\":\"").append(digest).append('"');
    }
}
