/**
 * What travels between clients and replicas: the messages, their canonical encoding, their verification, and the
 * configuration of a cluster. Holds no protocol state.
 *
 * <p>A {@link io.pbft.protocol.Statement} is what somebody signs. A {@link io.pbft.protocol.Message} is what travels:
 * a signed statement, or a record that carries signed statements and what belongs to them. A
 * {@link io.pbft.protocol.Verified} message has been checked whole, and only the
 * {@link io.pbft.protocol.Verifier} and the {@link io.pbft.protocol.Sealer} can make one.
 */
package io.pbft.protocol;
