package io.pbft.protocol;

/** A replica or a client of the cluster, by its place in the configuration. */
public record NodeId(Kind kind, int index) implements Comparable<NodeId> {
    /** In the order in which nodes compare. */
    public enum Kind {
        REPLICA,
        CLIENT
    }

    public static NodeId replica(int index) {
        return new NodeId(Kind.REPLICA, index);
    }

    public static NodeId client(int index) {
        return new NodeId(Kind.CLIENT, index);
    }

    public boolean isReplica() {
        return kind == Kind.REPLICA;
    }

    public boolean isClient() {
        return kind == Kind.CLIENT;
    }

    @Override
    public int compareTo(NodeId other) {
        int byKind = kind.compareTo(other.kind);
        return byKind != 0 ? byKind : Integer.compare(index, other.index);
    }

    @Override
    public String toString() {
        return (isReplica() ? "replica-" : "client-") + index;
    }
}
