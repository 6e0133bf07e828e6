package io.pbft.protocol;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;

/**
 * Coverage-guided fuzzing of the configuration's parser: it complains with its own exception or its result can be
 * written and read.
 */
class ConfigFuzzTest {
    @FuzzTest(maxDuration = "3s")
    void parse(byte[] json) {
        CheapScheme scheme = new CheapScheme();
        ClusterConfig config;
        try {
            config = ClusterConfig.parse("cluster.json", json, scheme);
        } catch (ConfigException e) {
            if (!e.getMessage().startsWith("cluster.json: ")) {
                throw new AssertionError("without its file: " + e.getMessage());
            }
            return;
        }
        byte[] written = config.toJson().getBytes(StandardCharsets.UTF_8);
        if (!ClusterConfig.parse("cluster.json", written, scheme).equals(config)) {
            throw new AssertionError("not what was written: " + config);
        }
    }
}
