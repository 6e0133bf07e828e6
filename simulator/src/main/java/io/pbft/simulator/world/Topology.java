package io.pbft.simulator.world;

/**
 * Where the nodes stand. In {@link #LAN} every link has the latency that the options give. In {@link #WAN5} replica i and
 * client i stand in region i mod 5, and a link takes half the round-trip time between its regions.
 *
 * <p>Measured round-trip times in milliseconds, rounded, between regions of a large cloud: us-east-1 (Virginia), us-west-2
 * (Oregon), eu-west-1 (Ireland), ap-northeast-1 (Tokyo), ap-southeast-2 (Sydney). Source: the table "Latency Between AWS
 * Global Regions" at acomputerscientistlearnsaws.blogspot.com/2017/04/aws-regions.html; within a region 1 ms is assumed.
 */
public enum Topology {
    LAN,
    WAN5;

    public static final int REGIONS = 5;

    private static final int[][] ROUND_TRIP_MILLIS = {
        {1, 87, 81, 145, 230},
        {87, 1, 137, 89, 162},
        {81, 137, 1, 212, 310},
        {145, 89, 212, 1, 104},
        {230, 162, 310, 104, 1},
    };

    /** The latency of one way, in microseconds, before jitter. */
    public static long oneWayMicros(int fromRegion, int toRegion) {
        return ROUND_TRIP_MILLIS[fromRegion][toRegion] * 500L;
    }

    /** The longest way between two regions, in microseconds. */
    public static long oneWayMicrosMax() {
        long max = 0;
        for (int[] row : ROUND_TRIP_MILLIS) {
            for (int millis : row) {
                max = Math.max(max, millis * 500L);
            }
        }
        return max;
    }
}
