/**
 * Moves frames, opaque strings of bytes, between nodes that have proved who they are. The only package that sees Netty.
 *
 * <p>{@link io.pbft.transport.Transport} is the way in. Frames may be lost (a full queue, a broken connection) and are
 * never corrupted, forged or, within one lane of one connection, reordered; what must arrive is sent again by the
 * protocol above.
 *
 * <pre>
 *   on the wire, inside TLS 1.3:   length (4 bytes, big-endian, at most the limit for this peer) | that many bytes
 *   length 0:                      "I am here": the first frame of whoever accepted, and the keep-alive of both
 * </pre>
 */
package io.pbft.transport;
