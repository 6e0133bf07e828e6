package io.pbft.cli;

import io.pbft.client.ReadMode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --read}. */
final class ReadOption {
    /** The names that the option takes. */
    enum Mode {
        FAST,
        ORDERED
    }

    @Option(
            names = "--read",
            paramLabel = "fast|ordered",
            description = {
                "fast: a quorum answers at once; ordered: like a write, with a receipt. Both see every write that was"
                        + " answered before. Default: fast, with --receipt ordered."
            })
    private @Nullable Mode mode;

    ReadMode mode(boolean withReceipt) {
        if (mode == Mode.FAST && withReceipt) {
            throw CliException.usage("--read fast has no receipt to give, as nothing is ordered; use --read ordered");
        }
        if (mode == null) {
            return withReceipt ? ReadMode.ORDERED : ReadMode.FAST;
        }
        return mode == Mode.FAST ? ReadMode.FAST : ReadMode.ORDERED;
    }
}
