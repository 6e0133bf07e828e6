package io.pbft.simulator.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import io.pbft.simulator.check.Check;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class HtmlReportTest {
    /** Two liars of four, so that safety may break; this seed's does. */
    static final String UNSAFE = "--seed 300 --byzantine 0=twin --byzantine 1=twin";

    static SimResult run(String line) {
        return Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
    }

    private static JsonNode data(String page) throws Exception {
        String begin = "<script type=\"application/json\" data-run=\"whole\">";
        int from = page.indexOf(begin) + begin.length();
        return new ObjectMapper().readTree(page.substring(from, page.indexOf("</script>", from)));
    }

    @Test
    void everyMessageAndEveryLineOfTheTraceIsThere() throws Exception {
        SimResult result = run("--seed 3 --ops 12 --drop 0.05 --duplicate 0.1 --gst 200");
        String page = HtmlReport.render(result);
        JsonNode data = data(page);
        assertThat(data.path("messages").size()).isEqualTo((int) result.messages());
        List<String> lines = result.trace().lines().toList();
        assertThat(data.path("events").size()).isEqualTo(lines.size());
        Map<String, Integer> fates = new TreeMap<>();
        for (JsonNode message : data.path("messages")) {
            int send = message.path(4).asInt();
            int end = message.path(5).asInt();
            assertThat(data.path("events").path(send).path(1).asText()).isEqualTo("send");
            if (end >= 0) {
                assertThat(end).isGreaterThan(send);
                fates.merge(data.path("events").path(end).path(1).asText(), 1, Integer::sum);
            }
        }
        assertThat(fates.get("drop")).isEqualTo((int)
                lines.stream().filter(l -> l.contains("\"e\":\"drop\"")).count());
        int arrivals = fates.get("deliver") + data.path("again").size();
        assertThat(arrivals).isEqualTo((int)
                lines.stream().filter(l -> l.contains("\"e\":\"deliver\"")).count());
        assertThat(data.path("again").size()).isPositive();
    }

    @Test
    void theSameRunGivesTheSamePage() {
        String line = "--seed 4 --ops 6 --byzantine 0=equivocate";
        String first = HtmlReport.render(run(line));
        assertThat(HtmlReport.render(run(line))).isEqualTo(first);
    }

    @Test
    void nothingIsFetched() {
        String page = HtmlReport.render(run("--seed 4 --ops 3"));
        assertThat(page).doesNotContain("http://", "https://", "src=", "@import", "url(");
    }

    @Test
    void dataCannotEndTheScriptThatHoldsThem() throws Exception {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        String evil = "</script><script>alert(1)</script><!-- & \u2028 \" \\";
        json.put("x", evil);
        String script = HtmlReport.script(json);
        assertThat(script).doesNotContain("<", ">", "&");
        assertThat(new ObjectMapper().readTree(script).path("x").asText()).isEqualTo(evil);
        assertThat(HtmlReport.text("<b a=\"1\">&")).isEqualTo("&lt;b a=&quot;1&quot;&gt;&amp;");
    }

    @Test
    void aDetailOfTheTraceThatLooksLikeMarkupStaysText() throws Exception {
        SimResult plain = run("--seed 4 --ops 3");
        String evil =
                "{\"t\":1,\"e\":\"note\",\"at\":\"r0\",\"a\":0,\"b\":0,\"detail\":\"</script><img onerror=x>\"}\n";
        SimResult spiked = new SimResult(
                plain.options(),
                plain.verdict(),
                plain.violations(),
                plain.committed(),
                plain.answered(),
                plain.views(),
                plain.virtualMillis(),
                plain.wallMillis(),
                plain.messages(),
                plain.traffic(),
                plain.latenciesMicros(),
                plain.events(),
                plain.traceHash(),
                plain.decided(),
                plain.tooManyFaulty(),
                plain.probes(),
                plain.plan(),
                plain.trace() + evil);
        String page = HtmlReport.render(spiked);
        assertThat(page).doesNotContain("<img").contains("&lt;img onerror=x&gt;");
        JsonNode events = data(page).path("events");
        assertThat(events.path(events.size() - 1).path(6).asText()).isEqualTo("</script><img onerror=x>");
    }

    @Test
    void aTamperedMessageShowsWhatAnHonestOneWouldHaveSaid() {
        ReportModel model = ReportModel.of(run("--seed 3 --ops 24 --byzantine 0=equivocate"));
        List<ReportModel.Sent> lies = model.messages().stream()
                .filter(sent -> sent.behaviour.equals("equivocate"))
                .toList();
        assertThat(lies).isNotEmpty().allSatisfy(lie -> assertThat(lie.instead).isPresent());
        assertThat(model.firstWrong()).hasValue(lies.get(0).sendEvent);
        assertThat(model.lines().get(model.firstWrong().getAsInt())).contains("PROPOSAL", "LIE: equivocate");
    }

    @Test
    void viewsCrashesAndPausesAreBands() {
        ReportModel model = ReportModel.of(run("--seed 5 --ops 24 --crash 0@100 --restart 0@900 --pause 2@60..90"));
        List<ReportModel.Band> bands = model.bands();
        int r0 = 3;
        assertThat(bands).anyMatch(band -> band.lane() == r0 && band.status().equals("DOWN"));
        assertThat(bands)
                .anyMatch(band -> band.lane() == r0 + 2 && band.status().equals("PAUSED"));
        assertThat(bands)
                .anyMatch(band -> band.lane() == r0 + 1 && band.status().equals("VIEW_CHANGE"));
        assertThat(bands)
                .anyMatch(band -> band.lane() == r0 + 1
                        && band.view() >= 1
                        && band.status().equals("NORMAL"));
    }

    @Test
    void aTimerThatExpiresIsABarThatEndsWhereTheViewIsLeft() {
        ReportModel model = ReportModel.of(run("--seed 5 --ops 24 --crash 0@100 --restart 0@900"));
        List<TimerBars.Bar> expired = model.timers().stream()
                .filter(bar -> bar.end() == TimerBars.End.EXPIRED)
                .toList();
        assertThat(expired).isNotEmpty().allSatisfy(bar -> {
            long at = model.events().get(bar.to()).atMicros();
            assertThat(model.events())
                    .anyMatch(event -> event.atMicros() == at
                            && event.lane() == bar.lane()
                            && event.detail().contains("TIMED_OUT"));
        });
        assertThat(model.timers())
                .anyMatch(bar -> bar.end() == TimerBars.End.RESTARTED)
                .anyMatch(bar -> bar.end() == TimerBars.End.STOPPED);
        assertThat(model.timers()).allSatisfy(bar -> assertThat(bar.from()).isLessThanOrEqualTo(bar.to()));
        assertThat(ReportModel.of(run("--seed 5 --ops 24")).timers())
                .isNotEmpty()
                .noneMatch(bar -> bar.end() == TimerBars.End.EXPIRED);
    }

    @Test
    void theLadderShowsEachStepOfTheWindow() {
        ReportModel model = ReportModel.of(run("--seed 5 --ops 48 --parameters checkpointInterval=4,window=12"));
        int r0 = 3;
        List<Long> lowMarks = model.events().stream()
                .filter(event -> event.kind().equals("marks") && event.lane() == r0)
                .map(ReportModel.Event::first)
                .distinct()
                .toList();
        assertThat(lowMarks).hasSizeGreaterThan(2).isSorted().startsWith(0L, 4L);
    }

    @Test
    void aFailedRunShowsTheSmallestOneFirstAndLeadsToTheWhole() {
        SimResult whole = run(UNSAFE);
        String page = HtmlReport.render(whole, run(UNSAFE + " --ops 30"));
        assertThat(page.indexOf("data-run=\"smallest\"")).isPositive().isLessThan(page.indexOf("data-run=\"whole\""));
        assertThat(page).contains("<a href=\"#whole\">", "<a href=\"#smallest\">", "It broke here");
        assertThat(HtmlReport.render(whole)).doesNotContain("data-run=\"smallest\"");
    }

    @Test
    void theConeOfAViolationHoldsWhatLedToItAndLeavesTheRestOut() {
        SimResult result = run(UNSAFE);
        assertThat(result.verdict()).isEqualTo(SimResult.Verdict.SAFETY);
        ReportModel model = ReportModel.of(result);
        int anchor = model.anchor().orElseThrow();
        List<ReportModel.Sent> cone =
                model.messages().stream().filter(sent -> sent.inCone).toList();
        assertThat(cone).isNotEmpty().hasSizeLessThan(model.messages().size() / 2);
        assertThat(cone).allSatisfy(sent -> assertThat(sent.endEvent).isBetween(sent.sendEvent + 1, anchor));
        assertThat(HtmlReport.render(result)).contains("Safety is violated", "More than f = 1");
    }

    @Test
    void eachCheckIsSaidInWords() {
        for (Check check : Check.values()) {
            assertThat(HtmlReport.meaning(check)).endsWith(".");
        }
    }

    @Test
    void aRunWithoutATraceIsRefusedWithTheReason() {
        SimResult result = Simulation.run(SimOptions.parse(List.of("--ops", "1")), false);
        assertThatThrownBy(() -> HtmlReport.render(result))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("--report");
    }
}
