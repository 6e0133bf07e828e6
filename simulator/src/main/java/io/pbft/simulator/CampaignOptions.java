package io.pbft.simulator;

import java.util.ArrayList;
import java.util.List;

/**
 * A campaign: many seeds.
 *
 * @param first the first seed, and {@code last} the last, both included
 * @param shard runs every {@code shards}-th seed, beginning with the {@code shard}-th from 1 on
 * @param plain whether the runs are all as {@code base} says, instead of drawn (see {@link Swarm})
 * @param moreThanF whether a draw may make more than f replicas faulty ({@link Swarm#drawMoreThanF})
 */
public record CampaignOptions(
        long first, long last, int shard, int shards, int threads, boolean plain, boolean moreThanF, SimOptions base) {
    public static final int THREADS_MAX = 256;

    /** @throws OptionError when {@code arguments} are not options of a campaign */
    public static CampaignOptions parse(List<String> arguments) {
        long[] seeds = {0, 999};
        int[] shard = {1, 1};
        int threads = Runtime.getRuntime().availableProcessors();
        boolean plain = false;
        boolean moreThanF = false;
        List<String> rest = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            String word = arguments.get(i);
            boolean ours = word.equals("--seeds") || word.equals("--shard") || word.equals("--threads");
            if (ours && i + 1 == arguments.size()) {
                throw new OptionError(word, "a value is missing");
            }
            switch (word) {
                case "--seeds" -> seeds = seeds(word, arguments.get(++i));
                case "--shard" -> shard = shard(word, arguments.get(++i));
                case "--threads" -> threads = OptionText.number(word, arguments.get(++i), 1, THREADS_MAX);
                case "--plain" -> plain = true;
                case "--more-than-f" -> moreThanF = true;
                default -> rest.add(word);
            }
        }
        return new CampaignOptions(
                seeds[0], seeds[1], shard[0], shard[1], threads, plain, moreThanF, SimOptions.parse(rest));
    }

    private static long[] seeds(String option, String text) {
        int dots = text.indexOf("..");
        if (dots < 0) {
            throw new OptionError(option, "FIRST..LAST", text);
        }
        long first = OptionText.seed(option, text.substring(0, dots));
        long last = OptionText.seed(option, text.substring(dots + 2));
        if (last < first) {
            throw new OptionError(option, "FIRST..LAST with FIRST not above LAST", text);
        }
        return new long[] {first, last};
    }

    private static int[] shard(String option, String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new OptionError(option, "K/M, the K-th of M parts", text);
        }
        int of = OptionText.number(option, text.substring(slash + 1), 1, 100_000);
        return new int[] {OptionText.number(option, text.substring(0, slash), 1, of), of};
    }

    /** The run of {@code seed}. */
    public SimOptions run(long seed) {
        if (plain) {
            return base.toBuilder().seed(seed).build();
        }
        return moreThanF ? Swarm.drawMoreThanF(seed, base) : Swarm.draw(seed, base);
    }

    /** How many seeds this shard has. */
    public long count() {
        long all = last - first + 1;
        return (all - shard) / shards + (all >= shard ? 1 : 0);
    }

    /** The {@code i}-th seed of this shard, from 0 on. */
    public long seed(long i) {
        return first + shard - 1 + i * shards;
    }
}
