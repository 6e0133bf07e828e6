package io.pbft.simulator.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pbft.simulator.SimResult;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser: it runs without an error, draws, and filters. Skipped loudly without Chromium. */
class BrowserTest {
    private static final long BROWSER_SECONDS_MAX = 60;

    /** Runs last in the page; what it finds stands in the document's attributes. */
    private static final String PROBE = """
            <script>
            const b = document.body.dataset, c = document.getElementById('canvas');
            try {
              const inked = () => {
                const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, seen = new Set();
                for (let i = 0; i < p.length; i += 4) seen.add(p[i] << 16 | p[i + 1] << 8 | p[i + 2]);
                return seen.size;
              };
              b.probeColours = inked();
              b.probeFarSlot = window.pbftReport.seq('FAR');
              window.pbftReport.seq('');
              b.probeWhole = window.pbftReport.whole();
              document.getElementById('fold').value = 'never';
              b.probeUnfolded = window.pbftReport.seq('all');
              b.probeOneSlot = window.pbftReport.seq('1');
              b.probeNoSlot = window.pbftReport.seq('999999');
              document.querySelector('#legend button[data-type=PREPARE]').click();
              b.probeNoPrepare = window.pbftReport.seq('all');
              const grep = document.getElementById('grep');
              grep.value = 'execute r1';
              grep.dispatchEvent(new Event('input'));
              b.probeLines = b.lines;
              window.pbftReport.select(10);
              b.probeLadder = b.ladder;
              document.querySelector('.copy').click();
              b.probeSelected = document.getElementById('selected').textContent.length;
            } catch (e) { b.error = String(e); }
            </script></body>""";

    /** Runs first: an error anywhere in the page ends up in the document. */
    private static final String WATCH =
            "<body><script>window.onerror = (m, s, l) => { document.body.dataset.error = m + ' in"
                    + " line ' + l; };</script>";

    @TempDir
    Path directory;

    /** A sequence number that the page is asked for first. */
    private String far = "1";

    private static Optional<Path> chromium() {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(File.pathSeparator))
                .flatMap(folder -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private String dom(String page) throws IOException, InterruptedException {
        return dom(page, "");
    }

    private String dom(String page, String fragment) throws IOException, InterruptedException {
        Optional<Path> chromium = chromium();
        assumeThat(chromium)
                .as("SKIPPED: no Chromium on the PATH, so nobody looked whether the report works in a browser"
                        + " (Debian: apt-get install chromium)")
                .isPresent();
        Path file = directory.resolve("report.html");
        Files.writeString(
                file,
                page.replaceFirst("<body>", WATCH)
                        .replaceFirst("</body>", Matcher.quoteReplacement(PROBE.replace("FAR", far))));
        Path out = directory.resolve("dom.html");
        Process process = new ProcessBuilder(List.of(
                        chromium.get().toString(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--window-size=1400,1000",
                        "--user-data-dir=" + Files.createDirectory(directory.resolve("profile" + fragment)),
                        "--dump-dom",
                        file.toUri() + fragment))
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(process.waitFor(BROWSER_SECONDS_MAX, TimeUnit.SECONDS))
                    .as("the browser came to an end")
                    .isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            // Its children write into the profile until they are gone, and the folder is deleted after the test.
            process.waitFor(BROWSER_SECONDS_MAX, TimeUnit.SECONDS);
        }
        return Files.readString(out, StandardCharsets.UTF_8);
    }

    private static int number(String dom, String attribute) {
        Matcher matcher = Pattern.compile("data-" + attribute + "=\"([0-9]+)\"").matcher(dom);
        assertThat(matcher.find())
                .as("%s in %.1500s", attribute, dom.substring(dom.indexOf("<body")))
                .isTrue();
        return Integer.parseInt(matcher.group(1));
    }

    @Test
    void aRunIsDrawnFilteredAndSearched() throws Exception {
        SimResult run = HtmlReportTest.run("--seed 3 --ops 12");
        ReportModel model = ReportModel.of(run);
        far = Pattern.compile("\"m\":\"PROPOSAL\",\"view\":0,\"seq\":([0-9]+)")
                .matcher(run.trace())
                .results()
                .map(found -> found.group(1))
                .reduce("1", (first, later) -> later);
        String dom = dom(HtmlReport.render(HtmlReportTest.run("--seed 3 --ops 12")));
        assertThat(dom).contains("data-ready=\"yes\"").doesNotContain("data-error");
        assertThat(number(dom, "messages")).isEqualTo(model.messages().size());
        assertThat(number(dom, "probe-colours")).isGreaterThan(20);
        // What is filtered for and lies out of sight is brought there.
        assertThat(Integer.parseInt(far)).isGreaterThan(5);
        assertThat(number(dom, "probe-far-slot")).isPositive();
        int unfolded = number(dom, "probe-unfolded");
        int oneSlot = number(dom, "probe-one-slot");
        assertThat(oneSlot).isPositive().isLessThan(unfolded);
        assertThat(number(dom, "probe-no-slot")).isZero();
        assertThat(number(dom, "probe-no-prepare")).isLessThan(unfolded);
        long executed = model.lines().stream()
                .filter(line -> line.contains("execute") && line.contains("r1"))
                .count();
        assertThat(number(dom, "probe-lines")).isEqualTo((int) executed);
        assertThat(number(dom, "probe-selected")).isPositive();
        assertThat(number(dom, "probe-ladder")).isPositive();
    }

    @Test
    void ofTwoRunsTheAddressSaysWhichIsShown() throws Exception {
        SimResult whole = HtmlReportTest.run(HtmlReportTest.UNSAFE);
        SimResult smallest = HtmlReportTest.run(HtmlReportTest.UNSAFE + " --ops 30");
        assertThat(smallest.messages()).isNotEqualTo(whole.messages());
        String page = HtmlReport.render(whole, smallest);
        assertThat(number(dom(page), "messages")).isEqualTo((int) smallest.messages());
        String other = dom(page, "#whole");
        assertThat(number(other, "messages")).isEqualTo((int) whole.messages());
        assertThat(other).doesNotContain("data-error").doesNotContain("This is the smallest run");
    }

    @Test
    void aViolationWithTwinsAndLiesIsDrawn() throws Exception {
        String dom = dom(HtmlReport.render(HtmlReportTest.run(HtmlReportTest.UNSAFE)));
        assertThat(dom).contains("data-ready=\"yes\"", "data-folded").doesNotContain("data-error");
        assertThat(number(dom, "arrows")).isNotNegative();
    }
}
