package io.pbft.protocol;

/**
 * How many replicas are how many. Every count of votes in this project comes from here.
 *
 * <p>With n replicas, at most f = floor((n - 1) / 3) are faulty. A quorum has ceil((n + f + 1) / 2) of them: two
 * quorums share f + 1 replicas, one of which is correct, and the n - f correct ones suffice for one (2f + 1 when
 * n = 3f + 1). A weak quorum has f + 1: one of it is correct. (TOCS'02, section 2, for any n.)
 */
public record Quorum(int replicas) {
    public Quorum {
        if (replicas < 1) {
            throw new IllegalArgumentException("a cluster has at least one replica, not " + replicas);
        }
    }

    /** f: how many replicas may be faulty. */
    public int faulty() {
        return (replicas - 1) / 3;
    }

    /** The size of a quorum. */
    public int quorum() {
        return (replicas + faulty() + 2) / 2;
    }

    /** The size of a weak quorum: at least one of its members is correct. */
    public int weak() {
        return faulty() + 1;
    }

    /** PREPAREs of backups that, with the primary's PRE-PREPARE, make a prepared certificate: a quorum less one. */
    public int prepares() {
        return quorum() - 1;
    }

    /** The primary of {@code view}: they take turns (TOCS'02, section 2.3). */
    public int primary(long view) {
        return (int) (view % replicas);
    }
}
