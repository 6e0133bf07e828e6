package io.pbft.simulator.world;

/** 64-bit mixing (the finalizer of SplitMix64, Steele, Lea and Flood, OOPSLA'14): cheap, well spread, equal everywhere. */
public final class Mix {
    private Mix() {}

    public static long mix(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    public static long mix(long left, long right) {
        return mix(mix(left) ^ right);
    }

    public static long mix(long first, long second, long third) {
        return mix(mix(first, second) ^ third);
    }

    public static long mix(long first, long second, long third, long fourth) {
        return mix(mix(first, second, third) ^ fourth);
    }
}
