/** Benchmarks: {@code benchmarks/run --help}. */
package io.pbft.benchmarks;
