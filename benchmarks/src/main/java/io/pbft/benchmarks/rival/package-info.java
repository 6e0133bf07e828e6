/** The systems that this project is compared with, as their users run them. Nothing else in this project sees them. */
package io.pbft.benchmarks.rival;
