package io.pbft.replica.server;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.SegmentJournal;
import io.pbft.protocol.Rejection;
import io.pbft.replica.TransferReport;
import io.pbft.replica.core.Event;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.transport.TransportStats;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/** The replica in numbers, as Prometheus reads them. Every value is read from a report or a counter. Thread-safe. */
final class ServerMetrics implements AutoCloseable {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();

    /** Held here: the registry itself remembers what it measures only weakly. */
    private final Supplier<ReplicaReport> report;

    private final Supplier<Optional<TransferReport>> transfer;
    private final Counters counters;

    private final Supplier<TransportStats> network;
    private final Journal journal;
    private final Supplier<DiskStatus> disk;

    ServerMetrics(
            Supplier<ReplicaReport> report,
            Supplier<Optional<TransferReport>> transfer,
            Counters counters,
            Admission admission,
            Inbox inbox,
            Supplier<TransportStats> network,
            Journal journal,
            Supplier<DiskStatus> disk) {
        this.report = report;
        this.transfer = transfer;
        this.counters = counters;
        this.network = network;
        this.journal = journal;
        this.disk = disk;
        gauge("pbft.view", "the view this replica is in, or wants", ReplicaReport::view);
        gauge("pbft.primary", "1: it is the primary of its view", r -> r.primary() ? 1 : 0);
        gauge("pbft.last.executed", "the last sequence number executed", ReplicaReport::lastExecuted);
        gauge("pbft.stable.checkpoint", "the last stable checkpoint", ReplicaReport::stableCheckpoint);
        gauge("pbft.log.slots", "sequence numbers of the window in use", ReplicaReport::logSlots);
        gauge("pbft.queued.requests", "requests that wait", ReplicaReport::queued);
        transfer(
                "pbft.transfer.received.bytes",
                "what a state transfer under way has received",
                TransferReport::bytesReceived);
        transfer("pbft.transfer.missing.entries", "entries that it still lacks", TransferReport::entriesMissing);
        counter("pbft.executed.operations", "operations run", ReplicaReport::executedOperations);
        counter("pbft.view.changes", "views that were changed", ReplicaReport::viewChanges);
        Gauge.builder("pbft.inbox.messages", inbox, Inbox::size)
                .description("verified messages that wait for the core")
                .register(registry);
        Gauge.builder("pbft.admitted.messages", admission, Admission::messages)
                .description("messages between their arrival and the core")
                .register(registry);
        FunctionCounter.builder("pbft.messages.accepted", counters, Counters::acceptedMessages)
                .description("messages that were verified and handed to the core")
                .register(registry);
        for (Rejection reason : Rejection.values()) {
            refused(reason.name());
        }
        refused(Counters.MALFORMED);
        refused(Counters.NO_ROOM);
        refused(Counters.NOT_VERIFIABLE);
        for (Event event : Event.values()) {
            FunctionCounter.builder("pbft.events", counters, c -> c.events(event))
                    .description("what the core noted")
                    .tag("event", event.name())
                    .register(registry);
        }
        network("bytes", "in", TransportStats::bytesIn);
        network("bytes", "out", TransportStats::bytesOut);
        network("frames", "in", TransportStats::framesIn);
        network("frames", "out", TransportStats::framesOut);
        journal("writes", "group commits, each of them synchronous", SegmentJournal.Counters::writes);
        journal("entries", "records written", SegmentJournal.Counters::entries);
        journal("bytes", "contents of the records written", SegmentJournal.Counters::bytes);
        disk("scrubs", "how often all that is on the disk was looked at", DiskStatus::scrubs);
        disk("damaged", "records of the state that were found damaged", DiskStatus::damaged);
        disk("repaired", "records of the state that were damaged and put back", DiskStatus::repaired);
        new JvmMemoryMetrics().bindTo(registry);
        gc.bindTo(registry);
    }

    /** Everything, in Prometheus' text format. */
    String scrape() {
        return registry.scrape();
    }

    @Override
    public void close() {
        gc.close();
        registry.close();
    }

    private void gauge(String name, String description, ToDoubleFunction<ReplicaReport> value) {
        Gauge.builder(name, report, r -> value.applyAsDouble(r.get()))
                .description(description)
                .register(registry);
    }

    /** 0 while there is no transfer. */
    private void transfer(String name, String description, ToDoubleFunction<TransferReport> value) {
        Gauge.builder(name, transfer, t -> t.get().map(value::applyAsDouble).orElse(0.0))
                .description(description)
                .register(registry);
    }

    private void counter(String name, String description, ToDoubleFunction<ReplicaReport> value) {
        FunctionCounter.builder(name, report, r -> value.applyAsDouble(r.get()))
                .description(description)
                .register(registry);
    }

    private void network(String what, String direction, ToLongFunction<TransportStats> value) {
        FunctionCounter.builder("pbft.network." + what, network, stats -> value.applyAsLong(stats.get()))
                .description("frames from and to replicas and clients, before encryption")
                .tag("direction", direction)
                .register(registry);
    }

    /** A journal that is not on a disk counts nothing. */
    private void journal(String what, String description, ToLongFunction<SegmentJournal.Counters> value) {
        if (journal instanceof SegmentJournal onDisk) {
            FunctionCounter.builder("pbft.journal." + what, onDisk, counted -> value.applyAsLong(counted.counters()))
                    .description(description)
                    .register(registry);
        }
    }

    private void disk(String what, String description, ToLongFunction<DiskStatus> value) {
        FunctionCounter.builder("pbft.disk." + what, disk, status -> value.applyAsLong(status.get()))
                .description(description)
                .register(registry);
    }

    private void refused(String reason) {
        FunctionCounter.builder(
                        "pbft.messages.refused",
                        counters,
                        c -> c.refusedByReason().getOrDefault(reason, 0L))
                .description("messages that were not taken")
                .tag("reason", reason)
                .register(registry);
    }
}
