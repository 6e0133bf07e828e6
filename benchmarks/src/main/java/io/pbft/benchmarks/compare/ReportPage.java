package io.pbft.benchmarks.compare;

import com.google.errorprone.annotations.FormatMethod;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The page of a {@link Report}: plots in SVG and a table, without scripts and without anything from elsewhere. */
final class ReportPage {
    private static final int WIDTH = 460;
    private static final int HEIGHT = 260;
    private static final int LEFT = 56;
    private static final int RIGHT = 12;
    private static final int TOP = 14;
    private static final int BOTTOM = 34;
    private static final List<String> COLOURS =
            List.of("#0b5fa5", "#c2410c", "#15803d", "#6b7280", "#7c3aed", "#b45309", "#be185d");

    private static final String STYLE = """
            body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1f2933}
            table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
            td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #e5e7eb}
            td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}
            .plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{font-weight:600}
            svg text{font:11px system-ui,sans-serif;fill:#4b5563}.key span{margin-right:1.2rem;font-weight:600}
            """;

    private final List<Report.Summary> summaries;
    private final List<String> services;
    private final String machine;

    ReportPage(List<Report.Summary> summaries, String machine) {
        this.summaries = summaries;
        this.machine = machine;
        this.services = List.copyOf(
                summaries.stream().map(Report.Summary::service).collect(Collectors.toCollection(LinkedHashSet::new)));
    }

    String html() {
        StringBuilder page = new StringBuilder("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
        page.append("<title>pbft: comparison</title><style>").append(STYLE).append("</style>");
        page.append("<h1>Comparison</h1><p>Medians of the rounds; bars reach from the least to the most. ")
                .append(escape(machine))
                .append(".</p><p class=\"key\">");
        for (String service : services) {
            page.append("<span style=\"color:").append(colour(service)).append("\">\u25cf ");
            page.append(escape(service)).append("</span>");
        }
        page.append("</p>");
        Set<String> kinds = summaries.stream()
                .filter(summary -> summary.cell().rate() == 0)
                .map(summary -> kind(summary.cell()))
                .collect(Collectors.toCollection(LinkedHashSet::new));
        for (String kind : kinds) {
            page.append("<h2>").append(escape(kind)).append("</h2><div class=\"plots\">");
            plot(page, kind, "operations per second", Report.Summary::perSecond);
            plot(page, kind, "median latency, ms", Report.Summary::p50Millis);
            plot(page, kind, "99 % latency, ms", Report.Summary::p99Millis);
            plot(page, kind, "CPU of one server for one operation, \u00b5s", Report.Summary::serverMicros);
            page.append("</div>");
        }
        table(page);
        return page.append("</html>\n").toString();
    }

    private static String kind(Cell cell) {
        return cell.operation().name().toLowerCase(Locale.ROOT).replace('_', ' ') + ", " + cell.size() + " B"
                + (cell.clients() > 1 ? ", " + cell.clients() + " clients" : "");
    }

    private String colour(String service) {
        return COLOURS.get(services.indexOf(service) % COLOURS.size());
    }

    /** Both axes logarithmic: outstanding operations to the right, {@code value} upwards. */
    private void plot(StringBuilder page, String kind, String title, Function<Report.Summary, Report.Spread> value) {
        List<Report.Summary> points = summaries.stream()
                .filter(summary -> summary.cell().rate() == 0
                        && kind(summary.cell()).equals(kind)
                        && value.apply(summary).min() > 0)
                .toList();
        if (points.isEmpty()) {
            return;
        }
        double lowest =
                points.stream().mapToDouble(p -> value.apply(p).min()).min().orElse(1);
        double highest =
                points.stream().mapToDouble(p -> value.apply(p).max()).max().orElse(1);
        Axis y = Axis.over(lowest, highest, HEIGHT - BOTTOM, TOP);
        double most =
                points.stream().mapToDouble(p -> p.cell().outstanding()).max().orElse(1);
        double least =
                points.stream().mapToDouble(p -> p.cell().outstanding()).min().orElse(1);
        Axis x = Axis.over(least, most, LEFT, WIDTH - RIGHT);
        page.append("<figure><figcaption>").append(escape(title)).append("</figcaption>");
        page.append(String.format(Locale.ROOT, "<svg width=\"%d\" height=\"%d\" role=\"img\">", WIDTH, HEIGHT));
        for (double tick : y.ticks()) {
            svg(page, "<path d=\"M%d %.1fH%d\" stroke=\"#e5e7eb\"/>", LEFT, y.at(tick), WIDTH - RIGHT);
            svg(page, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>", LEFT - 6, y.at(tick) + 4, tick(tick));
        }
        points.stream()
                .map(p -> p.cell().outstanding())
                .distinct()
                .forEach(outstanding -> svg(
                        page,
                        "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>",
                        x.at(outstanding),
                        HEIGHT - BOTTOM + 16,
                        outstanding));
        svg(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">outstanding</text>", WIDTH - RIGHT, HEIGHT - 4);
        for (String service : services) {
            line(page, points, service, x, y, value);
        }
        page.append("</svg></figure>");
    }

    private void line(
            StringBuilder page,
            List<Report.Summary> points,
            String service,
            Axis x,
            Axis y,
            Function<Report.Summary, Report.Spread> value) {
        List<String> path = new ArrayList<>();
        for (Report.Summary point : points) {
            if (!point.service().equals(service)) {
                continue;
            }
            double across = x.at(point.cell().outstanding());
            Report.Spread spread = value.apply(point);
            path.add(String.format(Locale.ROOT, "%.1f %.1f", across, y.at(spread.median())));
            svg(
                    page,
                    "<path d=\"M%.1f %.1fV%.1f\" stroke=\"%s\" stroke-opacity=\".45\" stroke-width=\"3\"/>",
                    across,
                    y.at(spread.min()),
                    y.at(spread.max()),
                    colour(service));
            svg(
                    page,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%s: %s</title></circle>",
                    across,
                    y.at(spread.median()),
                    colour(service),
                    escape(service),
                    number(spread.median()));
        }
        if (path.size() > 1) {
            svg(
                    page,
                    "<path d=\"M%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>",
                    String.join("L", path),
                    colour(service));
        }
    }

    private void table(StringBuilder page) {
        page.append("<h2>Numbers</h2><table><tr><th>load<th>service<th>rounds<th>per second<th>least<th>most");
        page.append(
                "<th>50 % ms<th>99 % ms<th>CPU \u00b5s a server<th>CPU \u00b5s the client<th>MiB<th>disturbed</tr>");
        for (Report.Summary summary : summaries) {
            String load = summary.cell().rate() == 0
                    ? summary.cell().describe()
                    : kind(summary.cell()) + ", open loop at a share of the saturation rate";
            page.append("<tr><td>").append(escape(load));
            page.append("<td>").append(escape(summary.service()));
            page.append("<td>").append(summary.rounds());
            for (double cell : new double[] {
                summary.perSecond().median(),
                summary.perSecond().min(),
                summary.perSecond().max(),
                summary.p50Millis().median(),
                summary.p99Millis().median(),
                summary.serverMicros().median(),
                summary.clientMicros().median(),
                summary.residentMiB().median()
            }) {
                page.append("<td>").append(number(cell));
            }
            page.append("<td>").append(summary.disturbed()).append("</tr>");
        }
        page.append("</table><p>Disturbed: a tenth of the machine or more was busy with something else.</p>");
    }

    @FormatMethod
    private static void svg(StringBuilder page, String format, Object... values) {
        page.append(String.format(Locale.ROOT, format, values));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value >= 100 ? "%,.0f" : "%.2f", value);
    }

    private static String tick(double value) {
        return value >= 1 ? String.format(Locale.ROOT, "%,.0f", value) : String.format(Locale.ROOT, "%.2g", value);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /** A logarithmic axis from {@code low} at {@code from} to {@code high} at {@code to}. */
    private record Axis(double low, double high, double from, double to) {
        private static final double[] STEPS = {1, 2, 5};

        static Axis over(double low, double high, double from, double to) {
            return low == high ? new Axis(low / 2, high * 2, from, to) : new Axis(low * 0.9, high * 1.1, from, to);
        }

        double at(double value) {
            return from + (to - from) * Math.log(value / low) / Math.log(high / low);
        }

        List<Double> ticks() {
            List<Double> ticks = new ArrayList<>();
            for (double decade = Math.pow(10, Math.floor(Math.log10(low))); decade <= high; decade *= 10) {
                for (double step : STEPS) {
                    if (decade * step >= low && decade * step <= high) {
                        ticks.add(decade * step);
                    }
                }
            }
            return ticks;
        }
    }
}
