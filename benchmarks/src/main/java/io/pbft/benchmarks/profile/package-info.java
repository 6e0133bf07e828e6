/** Where processor time goes, from flight recordings. */
package io.pbft.benchmarks.profile;
