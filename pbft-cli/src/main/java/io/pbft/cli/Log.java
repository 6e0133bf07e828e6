package io.pbft.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log: a line an event on standard error, in UTC. The environment variable {@code PBFT_LOG} sets the level: {@code warn}, or
 * with levels of single loggers, {@code info,io.pbft.transport=debug}. Set up by code, since reading a configuration file would
 * take longer than many a command.
 */
final class Log {
    /** Other people's code speaks up only when something is wrong, whatever level was asked for. */
    private static final String[] FOREIGN = {"io.netty", "io.micrometer", "org.lmdbjava", "org.bouncycastle"};

    private Log() {}

    static void setUp(Level standard, boolean verbose) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            return;
        }
        context.reset();
        OneLine layout = new OneLine(verbose);
        layout.setContext(context);
        layout.start();
        LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
        encoder.setContext(context);
        encoder.setLayout(layout);
        encoder.start();
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setContext(context);
        console.setTarget("System.err");
        console.setEncoder(encoder);
        console.start();
        attach(context, console, verbose ? Level.DEBUG : standard);
    }

    private static void attach(LoggerContext context, Appender<ILoggingEvent> appender, Level standard) {
        ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(standard);
        root.addAppender(appender);
        for (String name : FOREIGN) {
            context.getLogger(name).setLevel(Level.WARN);
        }
        String wish = System.getenv("PBFT_LOG");
        for (String part : (wish == null ? "" : wish).split(",", -1)) {
            int equals = part.indexOf('=');
            String name = equals < 0
                    ? Logger.ROOT_LOGGER_NAME
                    : part.substring(0, equals).strip();
            String level = part.substring(equals + 1).strip();
            if (!level.isEmpty()) {
                context.getLogger(name).setLevel(Level.toLevel(level, standard));
            }
        }
    }

    /** {@code 2026-01-31T12:00:00.000Z INFO  ReplicaServer: what happened}. */
    private static final class OneLine extends LayoutBase<ILoggingEvent> {
        private final boolean traces;

        OneLine(boolean traces) {
            this.traces = traces;
        }

        @Override
        public String doLayout(ILoggingEvent event) {
            String logger = event.getLoggerName();
            String time = Instant.ofEpochMilli(event.getTimeStamp())
                    .truncatedTo(ChronoUnit.MILLIS)
                    .toString();
            StringBuilder line = new StringBuilder(160);
            line.append(time, 0, time.indexOf('Z'));
            line.append(time.indexOf('.') < 0 ? ".000Z " : "Z ");
            line.append(String.format("%-5s ", event.getLevel()));
            line.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(": ");
            line.append(event.getFormattedMessage().replace('\n', ' '));
            for (IThrowableProxy at = event.getThrowableProxy(); at != null; at = at.getCause()) {
                line.append(" <- ").append(at.getClassName()).append(": ").append(at.getMessage());
                for (int i = 0; traces && i < at.getStackTraceElementProxyArray().length; i++) {
                    line.append(System.lineSeparator()).append("    ");
                    line.append(at.getStackTraceElementProxyArray()[i].getSTEAsString());
                }
            }
            return line.append(System.lineSeparator()).toString();
        }
    }
}
