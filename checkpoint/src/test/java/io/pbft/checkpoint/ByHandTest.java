package io.pbft.checkpoint;

import com.google.errorprone.annotations.FormatMethod;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one of the benchmarks of this module, by hand and alone on the machine:
 *
 * <pre>
 *   mvn -q -o -pl checkpoint -am test -Djacoco.skip -Dtest=ByHandTest -Dsurefire.failIfNoSpecifiedTests=false \
 *       -Dby.hand="CheckpointBench FOLDER 10000 100000 1000000 10000000"
 * </pre>
 */
@EnabledIfSystemProperty(named = "by.hand", matches = ".+")
class ByHandTest {
    private static final Logger LOG = LoggerFactory.getLogger(ByHandTest.class);

    /** Where a benchmark says what it has measured. */
    @FormatMethod
    static void report(String format, Object... figures) {
        LOG.info("{}", String.format(Locale.ROOT, format, figures));
    }

    @Test
    void run() throws Exception {
        List<String> words = Arrays.asList(System.getProperty("by.hand").trim().split(" +"));
        String[] rest = words.subList(1, words.size()).toArray(String[]::new);
        switch (words.get(0)) {
            case "CheckpointBench" -> CheckpointBench.main(rest);
            case "TransferBench" -> TransferBench.main(rest);
            case "RecoveryBench" -> RecoveryBench.main(rest);
            default -> throw new IllegalArgumentException("no benchmark " + words.get(0));
        }
    }
}
