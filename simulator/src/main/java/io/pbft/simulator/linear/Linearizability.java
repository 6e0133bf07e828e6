package io.pbft.simulator.linear;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a history of one object is linearizable: whether every operation can be given a point between its
 * invocation and its return, so that the answers are those of the model run in the order of the points.
 *
 * <p>The search is Wing and Gong's ("Testing and verifying concurrent objects", JPDC 1993): take any operation that was
 * invoked before the first pending return, try it next, go on, and take it back when that fails. Lowe's cache ("Testing for
 * linearizability", 2017) makes it feasible: a pair (operations done, state) that failed once fails always, so it is tried
 * once. The calls and returns stand in a doubly linked list, from which lifting an operation out and putting it back is a
 * matter of four references.
 *
 * <p>The problem is NP-complete (Gibbons and Korach, 1997), so the search has a budget of steps. Histories over several objects
 * are linearizable exactly when each object's part is (Herlihy and Wing, 1990, theorem 1), so callers split them first.
 *
 * <p>An operation without an answer has its return at the end of time and does not have to be given a point.
 */
public final class Linearizability {
    /** What the search found. */
    public enum Verdict {
        LINEARIZABLE,
        NOT_LINEARIZABLE,
        /** The budget ran out before an answer was found. */
        UNKNOWN
    }

    private Linearizability() {}

    /** Checks {@code history}, trying at most {@code stepsMax} operations. */
    public static <S, I, O> Verdict check(Model<S, I, O> model, List<Entry<I, O>> history, long stepsMax) {
        return new Search<>(model, history).run(stepsMax);
    }

    /** A call or a return in the list of events; a return has no {@code match}. */
    private static final class Node {
        final int operation;
        final @Nullable Node match;

        @Nullable
        Node previous;

        @Nullable
        Node next;

        Node(int operation, @Nullable Node match) {
            this.operation = operation;
            this.match = match;
        }
    }

    private record Configuration<S>(BitSet done, S state) {}

    private record Frame<S>(Node call, S before) {}

    private static final class Search<S, I, O> {
        private final Model<S, I, O> model;
        private final List<Entry<I, O>> history;
        private final Node head = new Node(-1, null);
        private int answersLeft;

        Search(Model<S, I, O> model, List<Entry<I, O>> history) {
            this.model = model;
            this.history = history;
            link();
        }

        private record Point(long time, boolean isReturn, int operation) {}

        private void link() {
            List<Point> points = new ArrayList<>();
            for (int i = 0; i < history.size(); i++) {
                Entry<I, O> entry = history.get(i);
                points.add(new Point(entry.invokedAt(), false, i));
                points.add(new Point(entry.returnedAt(), true, i));
                answersLeft += entry.returnedAt() == Entry.NEVER ? 0 : 1;
            }
            // At equal times calls come first: such operations overlap, which rules less out and accuses nobody
            // wrongly.
            points.sort(Comparator.comparingLong(Point::time)
                    .thenComparing(Point::isReturn)
                    .thenComparingInt(Point::operation));
            Node[] returns = new Node[history.size()];
            for (int i = 0; i < returns.length; i++) {
                returns[i] = new Node(i, null);
            }
            Node last = head;
            for (Point point : points) {
                Node node =
                        point.isReturn ? returns[point.operation] : new Node(point.operation, returns[point.operation]);
                last.next = node;
                node.previous = last;
                last = node;
            }
        }

        Verdict run(long stepsMax) {
            Set<Configuration<S>> tried = new HashSet<>();
            List<Frame<S>> stack = new ArrayList<>();
            BitSet done = new BitSet(history.size());
            S state = model.initial();
            Node at = head.next;
            long steps = 0;
            while (answersLeft > 0) {
                if (at != null && at.match != null) {
                    if (++steps > stepsMax) {
                        return Verdict.UNKNOWN;
                    }
                    Entry<I, O> entry = history.get(at.operation);
                    Optional<S> after = model.apply(state, entry.input(), entry.output());
                    if (after.isPresent() && isNew(tried, done, at.operation, after.get())) {
                        stack.add(new Frame<>(at, state));
                        state = after.get();
                        done.set(at.operation);
                        lift(at);
                        at = head.next;
                    } else {
                        at = at.next;
                    }
                    continue;
                }
                if (stack.isEmpty()) {
                    return Verdict.NOT_LINEARIZABLE;
                }
                Frame<S> frame = stack.remove(stack.size() - 1);
                state = frame.before;
                done.clear(frame.call.operation);
                unlift(frame.call);
                at = frame.call.next;
            }
            return Verdict.LINEARIZABLE;
        }

        private boolean isNew(Set<Configuration<S>> tried, BitSet done, int operation, S state) {
            BitSet next = (BitSet) done.clone();
            next.set(operation);
            return tried.add(new Configuration<>(next, state));
        }

        private void lift(Node call) {
            unlink(call);
            unlink(Objects.requireNonNull(call.match));
            answersLeft -= history.get(call.operation).returnedAt() == Entry.NEVER ? 0 : 1;
        }

        private void unlift(Node call) {
            relink(Objects.requireNonNull(call.match));
            relink(call);
            answersLeft += history.get(call.operation).returnedAt() == Entry.NEVER ? 0 : 1;
        }

        private static void unlink(Node node) {
            Objects.requireNonNull(node.previous).next = node.next;
            if (node.next != null) {
                node.next.previous = node.previous;
            }
        }

        private static void relink(Node node) {
            Objects.requireNonNull(node.previous).next = node;
            if (node.next != null) {
                node.next.previous = node;
            }
        }
    }
}
