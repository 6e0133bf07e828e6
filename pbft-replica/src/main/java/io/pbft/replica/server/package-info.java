/**
 * One replica as a process: threads, queues, files and the network around a {@link io.pbft.replica.ReplicaDriver}.
 *
 * <pre>
 *   network threads -> Admission -> VerifierPool -> Inbox -> CoreLoop (the driver) -> journal's thread -> Inbox
 *                                                              |                   \-> replies' thread -> network
 *                                                              \-> network
 * </pre>
 *
 * <p>On a machine with one or two processors the network's thread verifies and the core's thread signs replies: there each
 * hand-over costs more than it gains ({@link io.pbft.replica.server.ServerOptions#verifierThreads}).
 *
 * <p>Whatever peers send is bounded by {@link io.pbft.replica.server.Admission}, per sender, from the frame's arrival until
 * the core has taken it; what does not fit is dropped and counted. One's own completions are never dropped.
 */
package io.pbft.replica.server;
