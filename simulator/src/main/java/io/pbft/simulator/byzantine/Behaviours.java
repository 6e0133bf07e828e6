package io.pbft.simulator.byzantine;

import io.pbft.simulator.BehaviourSpec;
import java.util.Optional;
import java.util.TreeSet;

/** Makes behaviours by name. */
final class Behaviours {
    private Behaviours() {}

    /** Empty for {@code twin}, which is not a behaviour of one replica but two replicas with one key. */
    static Optional<Behaviour> replica(BehaviourSpec spec, Host host) {
        return switch (spec.name()) {
            case "twin" -> Optional.empty();
            case "silent" -> Optional.of(new PrimaryLies.Silent());
            case "equivocate" -> Optional.of(new PrimaryLies.Equivocate());
            case "wrong-digest" -> Optional.of(new PrimaryLies.WrongDigest());
            case "delay" -> Optional.of(new PrimaryLies.Delay(spec.delayMicros()));
            case "censor" -> Optional.of(new PrimaryLies.Censor(Integer.parseInt(spec.argument())));
            case "reorder" -> Optional.of(new PrimaryLies.Reorder());
            case "withhold-bodies" -> Optional.of(new PrimaryLies.WithholdBodies());
            case "sequence-jump" -> Optional.of(new PrimaryLies.SequenceJump());
            case "bad-time" -> Optional.of(new PrimaryLies.BadTime());
            case "stale-view" -> Optional.of(new PrimaryLies.StaleView());
            case "old-requests" -> Optional.of(new PrimaryLies.OldRequests());
            case "mute" -> Optional.of(new AnyLies.Mute());
            case "crash" -> Optional.of(new AnyLies.Crash());
            case "lie-reply" -> Optional.of(new AnyLies.LieReply());
            case "lie-read" -> Optional.of(new AnyLies.LieRead());
            case "forge-signature" -> Optional.of(new AnyLies.ForgeSignature());
            case "bad-checkpoint" -> Optional.of(new AnyLies.BadCheckpoint());
            case "bad-state-chunk" -> Optional.of(new AnyLies.BadStateChunk());
            case "conflicting-view-change" -> Optional.of(new ViewChangeLies.Conflicting());
            case "view-change-spam" -> Optional.of(new ViewChangeLies.Spam());
            case "bad-new-view" -> Optional.of(new ViewChangeLies.BadNewView());
            case "replay" -> Optional.of(new AnyLies.Replay());
            case "flood" -> Optional.of(new AnyLies.Flood());
            case "selective" -> Optional.of(new AnyLies.Selective(new TreeSet<>(spec.friends())));
            case "random" -> Optional.of(new RandomLies());
            case "collude" -> {
                host.conspiracy().join(host.self());
                yield Optional.of(new Collusion(host.conspiracy()));
            }
            case "other-cluster" -> Optional.of(new ClientLies.OtherCluster());
            case "false-view" -> Optional.of(new ClientLies.FalseView());
            case "refuse" -> Optional.of(new ClientLies.Refuse());
            case "flood-clients" -> Optional.of(new ClientLies.FloodClients());
            default -> throw new IllegalArgumentException("no behaviour of a replica: " + spec.name());
        };
    }
}
