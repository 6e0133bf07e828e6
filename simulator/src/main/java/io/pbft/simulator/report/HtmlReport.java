package io.pbft.simulator.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.check.Check;
import io.pbft.simulator.check.Findings;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SortedMap;

/**
 * Writes a run as one self-contained HTML page: style, program and data are inside, nothing is fetched. The diagram is
 * drawn on a canvas, and only what is in sight, so that ten thousand messages stay fluid. The events stand in the page as
 * text, one a line, for {@code grep} and for readers without JavaScript. The same run gives the same page. Thread-safe: no state.
 */
public final class HtmlReport {
    /** Lines of the event list in one block, so that a browser need not lay out a single text of megabytes. */
    static final int LINES_PER_BLOCK = 250;

    private HtmlReport() {}

    /** A run in the page: its name there, and what it is to the reader. */
    private record Part(String name, String what, SimResult result, ReportModel model) {
        Part(String name, String what, SimResult result) {
            this(name, what, result, ReportModel.of(result));
        }
    }

    /**
     * The page for {@code result}.
     *
     * @throws IllegalArgumentException when the result comes without its trace: run it with a report or a trace among
     *     the options
     */
    public static String render(SimResult result) {
        return page(List.of(new Part("whole", "", result)));
    }

    /**
     * The page for a run that failed: it opens with the smallest run that fails likewise, and a link leads to the whole one.
     *
     * @param smallest likewise with its trace
     * @throws IllegalArgumentException when one of them comes without its trace
     */
    public static String render(SimResult result, SimResult smallest) {
        return page(List.of(
                new Part(
                        "smallest",
                        "This is the smallest run found that fails likewise. "
                                + "<a href=\"#whole\">Show the run that it was made from</a> ("
                                + result.messages() + " messages).",
                        smallest),
                new Part(
                        "whole",
                        "This is the run as it was asked for. "
                                + "<a href=\"#smallest\">Show the smallest run found that fails likewise</a> ("
                                + smallest.messages() + " messages).",
                        result)));
    }

    private static String page(List<Part> parts) {
        SimResult asked = parts.get(parts.size() - 1).result;
        String title = "PBFT run, seed " + asked.options().seed() + ": "
                + asked.verdict().label();
        StringBuilder page = new StringBuilder(1 << 20);
        for (String line : resource("page.html").split("(?=\\{\\{)|(?<=\\}\\})")) {
            switch (line) {
                case "{{title}}" -> page.append(text(title));
                case "{{css}}" -> page.append(resource("report.css"));
                case "{{js}}" -> page.append(resource("report.js"));
                case "{{guide}}" -> page.append(resource("guide.html"));
                case "{{data}}" -> parts.forEach(part -> data(part, page));
                case "{{verdict}}" -> parts.forEach(part -> head(part, page));
                case "{{events}}" -> parts.forEach(part -> list(part, page));
                default -> page.append(line);
            }
        }
        return page.toString();
    }

    private static void data(Part part, StringBuilder page) {
        page.append("<script type=\"application/json\" data-run=\"")
                .append(part.name)
                .append("\">")
                .append(script(data(part.model, part.result)))
                .append("</script>\n");
    }

    private static void head(Part part, StringBuilder page) {
        page.append("<section data-run=\"").append(part.name).append("\">\n");
        if (!part.what.isEmpty()) {
            page.append("<p class=\"note\">").append(part.what).append("</p>\n");
        }
        verdict(part.model, part.result, page);
        page.append("<details><summary>How to see this run again, and what it was made of</summary>\n");
        options(part.result, page);
        page.append("</details>\n</section>\n");
    }

    private static void list(Part part, StringBuilder page) {
        page.append("<div class=\"list\" data-run=\"").append(part.name).append("\">\n");
        events(part.model.lines(), page);
        page.append("</div>\n");
    }

    private static ObjectNode data(ReportModel model, SimResult result) {
        ObjectNode json = model.toJson();
        SimOptions options = result.options();
        json.put("failed", result.verdict() != SimResult.Verdict.OK);
        json.put("n", options.replicas());
        json.put("f", options.quorum().faulty());
        json.put("quorum", options.quorum().quorum());
        json.put("gst", options.net().gstMicros());
        json.put("window", options.parameters().window());
        json.put("tick", options.parameters().tickMillis() * 1_000L);
        ArrayNode violations = json.putArray("violations");
        for (Findings.Violation violation : result.violations()) {
            violations
                    .addObject()
                    .put("check", violation.check().label())
                    .put("at", violation.atMicros())
                    .put("text", violation.text());
        }
        return json;
    }

    private static void verdict(ReportModel model, SimResult result, StringBuilder page) {
        page.append("<p class=\"verdict ").append(result.verdict().label()).append("\"><strong>");
        page.append(
                switch (result.verdict()) {
                    case OK -> "Everything that was checked held.";
                    case SAFETY -> "Safety is violated.";
                    case LIVENESS -> "Not everything was done in time.";
                });
        page.append("</strong> ")
                .append(result.answered())
                .append(" of ")
                .append(result.options().ops())
                .append(" operations answered, highest view ")
                .append(result.views())
                .append(", ")
                .append(result.messages())
                .append(" messages, ")
                .append(result.virtualMillis())
                .append(" ms of virtual time.</p>\n");
        if (result.tooManyFaulty()) {
            page.append("<p class=\"note\">More than f = ")
                    .append(result.options().quorum().faulty())
                    .append(" replicas are faulty in this run: the protocol promises nothing then.</p>\n");
        }
        violations(result, page);
        model.firstWrong().ifPresent(event -> place("First wrong message", event, model, page));
        model.anchor().ifPresent(event -> place("It broke here", event, model, page));
        if (model.firstWrong().isEmpty() && result.verdict() != SimResult.Verdict.OK) {
            page.append("<p class=\"note\">").append(blame(result.options())).append("</p>\n");
        }
    }

    /** Each check that failed, with what it means, and below it what was found. */
    private static void violations(SimResult result, StringBuilder page) {
        List<Check> checks = result.violations().stream()
                .map(Findings.Violation::check)
                .distinct()
                .toList();
        if (checks.isEmpty()) {
            return;
        }
        page.append("<ul class=\"violations\">\n");
        for (Check check : checks) {
            page.append("<li><strong>").append(check.label()).append("</strong>: ");
            page.append(text(meaning(check)));
            for (Findings.Violation violation : result.violations()) {
                if (violation.check() == check) {
                    page.append("<br>").append(ReportModel.millis(violation.atMicros()));
                    page.append(" ms <code>").append(text(violation.text())).append("</code>");
                }
            }
            page.append("</li>\n");
        }
        page.append("</ul>\n");
    }

    private static void place(String what, int event, ReportModel model, StringBuilder page) {
        page.append("<p class=\"note\">")
                .append(what)
                .append(": <a href=\"#\" data-event=\"")
                .append(event)
                .append("\">")
                .append(text(model.lines().get(event).strip()))
                .append("</a></p>\n");
    }

    private static String blame(SimOptions options) {
        boolean twins = options.byzantine().values().stream()
                .flatMap(List::stream)
                .anyMatch(spec -> spec.name().equals("twin"));
        if (twins) {
            return "No single message is wrong: each half of a pair of twins (r0 and r0') keeps to the protocol, and"
                    + " wrong is that both sign with one key.";
        }
        return options.faulty().isEmpty() && options.byzantineClients().isEmpty()
                ? "Nobody was told to lie in this run: what went wrong, a correct node did."
                : "No message was tampered with in this run; what faulty nodes held back is among the events.";
    }

    private static void options(SimResult result, StringBuilder page) {
        page.append("<p>Again with: <code class=\"command\">")
                .append(text(result.command()))
                .append("</code> <button class=\"copy\">copy</button></p>\n<table>\n");
        row("seed", Long.toString(result.options().seed()), page);
        row(
                "replicas",
                result.options().replicas() + ", at most f = "
                        + result.options().quorum().faulty() + " may be faulty, a quorum is "
                        + result.options().quorum().quorum(),
                page);
        behaviours("replica", result.options().byzantine(), page);
        behaviours("client", result.options().byzantineClients(), page);
        row("faults of chance", Integer.toString(result.plan().size()), page);
        row("trace", Long.toHexString(result.traceHash()), page);
        page.append("</table>\n");
    }

    private static <T> void behaviours(String kind, SortedMap<Integer, List<T>> byNode, StringBuilder page) {
        byNode.forEach((node, specs) -> row("Byzantine " + kind + " " + node, String.valueOf(specs), page));
    }

    private static void row(String name, String value, StringBuilder page) {
        page.append("<tr><th>")
                .append(text(name))
                .append("</th><td>")
                .append(text(value))
                .append("</td></tr>\n");
    }

    private static void events(List<String> lines, StringBuilder page) {
        for (int i = 0; i < lines.size(); i += LINES_PER_BLOCK) {
            // A browser takes away the first line break of a <pre>.
            page.append("<pre>\n");
            for (int k = i; k < Math.min(lines.size(), i + LINES_PER_BLOCK); k++) {
                page.append(text(lines.get(k))).append('\n');
            }
            page.append("</pre>\n");
        }
    }

    /** What each check means, for one who reads it for the first time. */
    static String meaning(Check check) {
        return switch (check) {
            case AGREEMENT -> "Two correct replicas executed different batches at the same sequence number.";
            case VALIDITY ->
                "A correct replica executed what no client signed, or at a time that no correct clock showed.";
            case EXACTLY_ONCE -> "An operation has two places in the order.";
            case PROMISES ->
                "A correct replica signed two votes that contradict each other,"
                        + " or voted in a view that it had left.";
            case CERTIFICATES ->
                "A correct replica wrote down or sent a certificate that is not whole,"
                        + " or began a view with what does not follow from its VIEW-CHANGEs.";
            case PERSISTENCE ->
                "A vote left a replica before it was on its disk:" + " a crash would make the replica forget it.";
            case DURABILITY ->
                "What a client was told does not stand in the agreed order" + " where the client was told it does.";
            case LINEARIZABILITY -> "No order of the operations explains the answers that the clients got.";
            case REPLAY -> "The agreed order, run again, gives other answers than the clients got.";
            case CHECKPOINTS ->
                "Correct replicas have different states at a checkpoint, or another one than the log gives.";
            case RECEIPTS -> "What a client took for a proof does not convince anybody else.";
            case EVIDENCE -> "What a replica kept as evidence convicts nobody, or names a replica that is correct.";
            case MEMORY -> "A window, queue or journal grew beyond its limit.";
            case ROBUSTNESS -> "A correct node threw an exception: no message and no disk may make it do so.";
            case LIVENESS ->
                "With the network stable and at most f replicas faulty," + " something was not done within the bound.";
            case CALM -> "Replicas changed the view although nothing was wrong.";
        };
    }

    /** JSON that cannot end the script element it stands in, whatever the data say. */
    static String script(ObjectNode json) {
        try {
            return new ObjectMapper()
                    .writeValueAsString(json)
                    .replace("<", "\\u003c")
                    .replace(">", "\\u003e")
                    .replace("&", "\\u0026");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report that does not become JSON", e);
        }
    }

    static String text(String plain) {
        return plain.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String resource(String name) {
        try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the simulator's jar lacks " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + name, e);
        }
    }
}
