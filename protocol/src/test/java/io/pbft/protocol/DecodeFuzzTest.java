package io.pbft.protocol;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;

/**
 * Coverage-guided fuzzing of the decoder of what comes from a network: it complains with its own exception, or what
 * it returns has these very bytes for its encoding. Without JAZZER_FUZZ in the environment this runs over its seeds;
 * with it, it searches.
 */
class DecodeFuzzTest {
    @FuzzTest(maxDuration = "4s")
    void decode(byte[] frame) {
        Message message;
        try {
            message = Codec.decode(frame);
        } catch (MalformedMessage e) {
            return;
        }
        if (!Arrays.equals(Codec.encode(message), frame)) {
            throw new AssertionError("a second encoding of " + message);
        }
    }
}
