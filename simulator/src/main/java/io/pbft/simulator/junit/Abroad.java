package io.pbft.simulator.junit;

import java.util.Locale;
import java.util.TimeZone;
import java.util.function.Supplier;

/**
 * Runs something as on a machine elsewhere: with Turkish rules for upper and lower case, Arabic digits, and the clock of the
 * Chatham Islands, which are 12 hours and 45 minutes ahead. Both settings are the whole JVM's, and are put back at once.
 */
final class Abroad {
    private static final Locale LOCALE = Locale.forLanguageTag("tr-TR-u-nu-arab");
    private static final TimeZone ZONE = TimeZone.getTimeZone("Pacific/Chatham");

    private Abroad() {}

    static <T> T run(Supplier<T> work) {
        Locale locale = Locale.getDefault();
        TimeZone zone = TimeZone.getDefault();
        Locale.setDefault(LOCALE);
        TimeZone.setDefault(ZONE);
        try {
            return work.get();
        } finally {
            Locale.setDefault(locale);
            TimeZone.setDefault(zone);
        }
    }
}
