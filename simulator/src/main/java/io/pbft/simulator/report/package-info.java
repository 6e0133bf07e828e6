/** A run as one HTML page: a space-time diagram, the verdict in words, and a line of text for each event. */
package io.pbft.simulator.report;
