/** Benchmarks of single pieces, by JMH. */
package io.pbft.benchmarks.micro;
