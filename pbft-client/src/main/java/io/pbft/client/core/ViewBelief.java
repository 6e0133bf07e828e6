package io.pbft.client.core;

import io.pbft.protocol.Quorum;
import java.util.Arrays;

/**
 * The view that a client believes in: the greatest that f + 1 replicas have reached or passed by their own signed word. One
 * of them is correct, so f liars can neither push it beyond a view that exists nor, with what they said before, pull it back.
 * NOT thread-safe.
 */
final class ViewBelief {
    private final Quorum quorum;
    private final long[] views;
    private long view;

    ViewBelief(Quorum quorum) {
        this.quorum = quorum;
        this.views = new long[quorum.replicas()];
    }

    long view() {
        return view;
    }

    int primary() {
        return quorum.primary(view);
    }

    /** Whether the view that is believed in changed by what {@code replica} reports. */
    boolean learn(int replica, long reported) {
        if (reported <= views[replica]) {
            return false;
        }
        views[replica] = reported;
        long[] sorted = views.clone();
        Arrays.sort(sorted);
        long vouched = sorted[sorted.length - quorum.weak()];
        boolean changed = vouched > view;
        view = vouched;
        return changed;
    }
}
