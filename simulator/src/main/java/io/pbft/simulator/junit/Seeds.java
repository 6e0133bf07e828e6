package io.pbft.simulator.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A JUnit 5 test that runs once a seed, from {@link #first} to {@link #last}; the seed is its {@code long} parameter. A test
 * report then names the seeds that fail, and one seed can be run alone.
 *
 * <pre>{@code
 * @Seeds(last = 50)
 * void theBankHolds(long seed) {
 *     BANK.check(seed, seed);
 * }
 * }</pre>
 *
 * <p>Needs JUnit Jupiter, which this library does not bring along.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(SeedsExtension.class)
public @interface Seeds {
    /** The first seed, 0 or more. */
    long first() default 1;

    /** The last seed, not below the first. */
    long last();
}
