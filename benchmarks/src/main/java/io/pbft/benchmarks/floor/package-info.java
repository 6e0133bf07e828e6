/** The service without replication: what of the cost is not the protocol's. */
package io.pbft.benchmarks.floor;
