/** The client of the built-in key-value service: typed operations on top of {@link io.pbft.client.PbftClient}. */
package io.pbft.client.kv;
