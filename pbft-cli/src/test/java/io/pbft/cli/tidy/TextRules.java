package io.pbft.cli.tidy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What no file of the repository may contain, whatever its kind: it would tie the software to one place. */
final class TextRules {
    /** Absolute paths of somebody's machine. Paths directly below the temporary directory are fine in an example. */
    private static final Pattern MACHINE_PATH = Pattern.compile(
            "(?<![\\w.}-])/(?:(?:home|Users|root|work|workspace)/[\\w.-]+|tmp/[\\w.-]+/[\\w.-]+|usr/lib/jvm/[\\w.-]+)"
                    + "|\\b[A-Z]:\\\\+Users\\\\");

    /** Where artifacts come from is the business of who builds, not of the source. */
    private static final Pattern REGISTRY = Pattern.compile("(?i)\\brepo1?\\.maven\\b|\\bmaven\\.(?:google|aliyun)\\b"
            + "|\\b(?:oss|central|s01)\\.sonatype\\b|\\bjcenter\\b"
            + "|\\bjitpack\\b|\\bartifactory\\b|\\bnexus\\b|\\bregistry\\.npmjs\\b|\\bpypi\\.org\\b"
            + "|<(?:pluginR|r)epository>|<mirrors?>|https?://(?:localhost|[\\d.]+)(?::\\d+)?/(?:maven|repo)");

    private static final Pattern TICKET = Pattern.compile("(?i)\\bissue #?\\d+\\b");

    private TextRules() {}

    static List<Tidy.Finding> check(String path, String text) {
        List<Tidy.Finding> findings = new ArrayList<>();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            find(MACHINE_PATH, "machine-path", path, i + 1, lines[i], findings);
            find(REGISTRY, "registry", path, i + 1, lines[i], findings);
            find(TICKET, "ticket", path, i + 1, lines[i], findings);
        }
        return findings;
    }

    private static void find(
            Pattern pattern, String rule, String path, int number, String line, List<Tidy.Finding> findings) {
        Matcher matcher = pattern.matcher(line);
        if (matcher.find()) {
            findings.add(new Tidy.Finding(path, number, rule, matcher.group()));
        }
    }
}
