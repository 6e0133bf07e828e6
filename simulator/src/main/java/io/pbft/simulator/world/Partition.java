package io.pbft.simulator.world;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * From {@code fromMicros} to {@code toMicros} replicas of different groups do not reach each other. A replica in no group, and
 * every client, reaches all.
 */
public record Partition(long fromMicros, long toMicros, List<SortedSet<Integer>> groups) {
    public Partition {
        List<SortedSet<Integer>> copies = new ArrayList<>();
        for (SortedSet<Integer> group : groups) {
            copies.add(Collections.unmodifiableSortedSet(new TreeSet<>(group)));
        }
        groups = List.copyOf(copies);
    }

    boolean separates(int from, int to, long now) {
        if (now < fromMicros || now >= toMicros) {
            return false;
        }
        int groupOfFrom = groupOf(from);
        int groupOfTo = groupOf(to);
        return groupOfFrom >= 0 && groupOfTo >= 0 && groupOfFrom != groupOfTo;
    }

    private int groupOf(int replica) {
        for (int i = 0; i < groups.size(); i++) {
            if (groups.get(i).contains(replica)) {
                return i;
            }
        }
        return -1;
    }
}
