/** Runs services in turn under the same load and reports what came out: see {@code docs/performance.md}. */
package io.pbft.benchmarks.compare;
