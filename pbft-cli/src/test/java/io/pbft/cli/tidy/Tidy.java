package io.pbft.cli.tidy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rules of this repository that a compiler does not know: each a name, a reason, and a place where it holds. */
final class Tidy {
    static final int LINE_COLUMNS_MAX = 120;
    static final int COMMENT_COLUMNS_MAX = 130;
    static final int METHOD_LINES_MAX = 70;

    private static final String BASE = "io.pbft.";

    /** Folder of a module -> the packages of this project it may use: docs/architecture.md draws the same arrows. */
    static final Map<String, List<String>> DIRECTION = new TreeMap<>(Map.of(
            "crypto", List.of("crypto"),
            "protocol", List.of("protocol", "crypto"),
            "transport", List.of("transport", "protocol", "crypto"),
            "checkpoint", List.of("checkpoint", "protocol", "crypto"),
            "pbft-replica", List.of("replica", "checkpoint", "transport", "protocol", "crypto"),
            "pbft-client", List.of("client", "transport", "protocol", "crypto"),
            "simulator", List.of("simulator", "replica", "client", "checkpoint", "transport", "protocol", "crypto"),
            "pbft-cli",
                    List.of("cli", "simulator", "replica", "client", "checkpoint", "transport", "protocol", "crypto"),
            "benchmarks",
                    List.of("benchmarks", "cli", "replica", "client", "checkpoint", "transport", "protocol", "crypto"),
            "examples", List.of("examples", "replica", "client", "checkpoint", "transport", "protocol", "crypto")));

    /** What a rule found: a line, and what stands there. */
    record Finding(String path, int line, String rule, String what) {
        @Override
        public String toString() {
            return path + ":" + line + ": " + rule + ": " + what.strip();
        }
    }

    interface Check {
        void run(Source source, Report report);
    }

    interface Report {
        void found(int line, String what);
    }

    record Rule(String name, String because, Check check) {
        List<Finding> findings(Source source) {
            List<Finding> findings = new ArrayList<>();
            check.run(source, (line, what) -> findings.add(new Finding(source.path(), line, name, what)));
            return findings;
        }
    }

    private static final Pattern EMPTY_CATCH = Pattern.compile("\\bcatch\\s*\\([^)]*\\)\\s*\\{\\s*\\}");
    private static final Pattern SLEEP =
            Pattern.compile("\\b(Thread|TimeUnit|SECONDS|MILLISECONDS)\\s*\\.\\s*sleep\\s*\\(");
    private static final Pattern UNFINISHED = Pattern.compile("\\b(TODO|FIXME|XXX)\\b");
    private static final Pattern OURS = Pattern.compile("\\bio\\.pbft\\.(?<first>[a-z]\\w*)[\\w.]*");
    private static final Pattern COLLECTOR = Pattern.compile("\\b(?<name>toMap|groupingBy)\\s*\\(");

    static final List<Rule> RULES = List.of(
            core(
                    "core-clock",
                    "time reaches the core as an input",
                    "java\\.time\\.(?!Duration\\b)[\\w.]+"
                            + "|System\\s*\\.\\s*(currentTimeMillis|nanoTime)|\\bClock\\b"),
            core(
                    "core-thread",
                    "one thread owns the core, and it is not its business which",
                    "\\bThread\\w*\\b|java\\.util\\.concurrent[\\w.]*|\\bsynchronized\\b|\\bvolatile\\b"
                            + "|\\bparallel(Stream)?\\s*\\("),
            core(
                    "core-io",
                    "the core answers with effects; the driver carries them out",
                    "\\bjava\\.(io|net|nio\\.file|nio\\.channels)\\b[\\w.]*|javax\\.net[\\w.]*"
                            + "|System\\s*\\.\\s*(getProperty|getenv|in|out|err)\\b"),
            core(
                    "core-log",
                    "what is worth saying leaves the core as an effect",
                    "org\\.slf4j[\\w.]*|java\\.util\\.logging[\\w.]*|ch\\.qos\\.logback[\\w.]*"
                            + "|System\\s*\\.\\s*Logger"),
            core(
                    "core-random",
                    "the same state and input give the same effects",
                    "\\b(Secure|Splittable|ThreadLocal)?Random\\b|\\bRandomGenerator\\b|\\bMath\\s*\\.\\s*random\\b"
                            + "|\\brandomUUID\\b|\\bidentityHashCode\\b"),
            core(
                    "core-order",
                    "an unordered collection iterates differently from one JVM to the next",
                    "\\b(Linked|Identity|Weak|Concurrent)?Hash(Map|Set)\\b|\\bHashtable\\b"
                            + "|\\b(Set|Map)\\s*\\.\\s*(<[^>]*>\\s*)?(of|ofEntries|copyOf)\\s*\\("
                            + "|\\bto(Unmodifiable)?Set\\s*\\(|\\btoUnmodifiableMap\\s*\\("),
            new Rule("core-collector", "without a supplier these collect into a hash table", Tidy::collectors),
            core(
                    "core-alone",
                    "the core knows neither the network nor what drives it",
                    "\\bio\\.pbft\\.transport\\b[\\w.]*|\\bio\\.pbft\\.(replica|client)\\.[A-Z]\\w*"),
            new Rule("unfinished", "what is left to do is not left in the code", Tidy::unfinished),
            everywhere("stack-trace", "an error is reported once, by who handles it", "\\bprintStackTrace\\s*\\("),
            outside(
                    "standard-output",
                    "a library does not print",
                    List.of("io.pbft.cli", "io.pbft.examples", "io.pbft.benchmarks"),
                    "\\bSystem\\s*\\.\\s*(out|err)\\b"),
            everywhere(
                    "java-serialization",
                    "bytes of a stranger are decoded by a codec with limits",
                    "\\bObject(In|Out)putStream\\b"),
            outside("netty", "one module sees the network", List.of("io.pbft.transport"), "\\bio\\.netty\\b[\\w.]*"),
            outside("lmdb", "one module sees the disk", List.of("io.pbft.checkpoint"), "\\borg\\.lmdbjava\\b[\\w.]*"),
            outside(
                    "bouncy-castle",
                    "cryptography has one door",
                    List.of("io.pbft.crypto", "io.pbft.transport"),
                    "\\borg\\.bouncycastle\\b[\\w.]*"),
            outside(
                    "picocli",
                    "commands have modules of their own",
                    List.of("io.pbft.cli", "io.pbft.benchmarks"),
                    "\\bpicocli\\b[\\w.]*"),
            new Rule(
                    "tab",
                    "a tab is as wide as its reader's editor",
                    (source, report) -> lines(source, line -> line.indexOf('\t') >= 0, report)),
            new Rule(
                    "line-length",
                    "at most " + LINE_COLUMNS_MAX + " columns, a line of comment " + COMMENT_COLUMNS_MAX,
                    (source, report) -> lines(source, Tidy::isTooLong, report)),
            new Rule(
                    "method-length",
                    "at most " + METHOD_LINES_MAX + " lines: a method is read in one look",
                    Tidy::methodLengths),
            everywhere(
                    "disabled-test",
                    "a test that does not run protects nothing",
                    "@\\s*(\\w+\\.)*(Disabled\\w*|Ignore)\\b"),
            new Rule(
                    "empty-catch",
                    "an ignored exception says why",
                    (source, report) -> matches(source, source.prose(), EMPTY_CATCH, report)),
            new Rule("test-sleep", "a test waits for what happens, not for time to pass", (source, report) -> {
                if (source.isTest()) {
                    matches(source, source.code(), SLEEP, report);
                }
            }),
            new Rule("module-direction", "dependencies point one way", Tidy::direction));

    private Tidy() {}

    static List<Finding> check(Source source) {
        List<Finding> findings = new ArrayList<>();
        RULES.forEach(rule -> findings.addAll(rule.findings(source)));
        return findings;
    }

    private static Rule core(String name, String because, String regex) {
        Pattern pattern = Pattern.compile(regex);
        return new Rule(name, because, (source, report) -> {
            if (source.isCore()) {
                matches(source, source.code(), pattern, report);
            }
        });
    }

    private static Rule everywhere(String name, String because, String regex) {
        return outside(name, because, List.of(), regex);
    }

    private static Rule outside(String name, String because, List<String> packages, String regex) {
        Pattern pattern = Pattern.compile(regex);
        return new Rule(name, because, (source, report) -> {
            if (packages.stream().noneMatch(source::isIn)) {
                matches(source, source.code(), pattern, report);
            }
        });
    }

    private static void matches(Source source, String view, Pattern pattern, Report report) {
        Matcher matcher = pattern.matcher(view);
        while (matcher.find()) {
            report.found(source.lineAt(matcher.start()), matcher.group());
        }
    }

    private static void lines(Source source, Predicate<String> bad, Report report) {
        String[] lines = source.text().split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            if (bad.test(lines[i])) {
                report.found(i + 1, lines[i]);
            }
        }
    }

    private static boolean isTooLong(String line) {
        boolean comment = line.strip().startsWith("*") || line.strip().startsWith("/");
        return line.codePointCount(0, line.length()) > (comment ? COMMENT_COLUMNS_MAX : LINE_COLUMNS_MAX);
    }

    /** In the program itself not even inside a literal; tests may plant the words in one. */
    private static void unfinished(Source source, Report report) {
        matches(source, source.isTest() ? source.prose() : source.text(), UNFINISHED, report);
    }

    private static void collectors(Source source, Report report) {
        Matcher matcher = COLLECTOR.matcher(source.code());
        while (source.isCore() && matcher.find()) {
            int needed = matcher.group("name").equals("toMap") ? 4 : 3;
            if (Calls.arguments(source.code(), matcher.end() - 1) < needed) {
                report.found(source.lineAt(matcher.start()), matcher.group("name") + " without a map supplier");
            }
        }
    }

    private static void methodLengths(Source source, Report report) {
        for (Calls.Method method : Calls.methods(source.code())) {
            int first = source.lineAt(method.start());
            int count = source.lineAt(method.end()) - first + 1;
            if (count > METHOD_LINES_MAX) {
                report.found(first, method.name() + " has " + count + " lines");
            }
        }
    }

    private static void direction(Source source, Report report) {
        List<String> allowed = DIRECTION.get(source.module());
        if (allowed == null) {
            report.found(1, "the module " + source.module() + " has no place in the order of modules");
            return;
        }
        if (!source.isIn(BASE + allowed.get(0))) {
            report.found(1, "a file of " + source.module() + " belongs into the package " + BASE + allowed.get(0));
        }
        Matcher matcher = OURS.matcher(source.code());
        while (matcher.find()) {
            if (!allowed.contains(matcher.group("first"))) {
                report.found(source.lineAt(matcher.start()), matcher.group() + " used in " + source.module());
            }
        }
    }
}
