/**
 * What an application embeds: {@link io.pbft.client.PbftClient}, its configuration, its errors, and receipts.
 */
package io.pbft.client;
