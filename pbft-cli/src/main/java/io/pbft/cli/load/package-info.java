/** Load on a service and what it costs: the loops behind {@code pbft bench} and behind the comparisons in {@code benchmarks}. */
package io.pbft.cli.load;
