/**
 * A replicated service of one's own in three classes: what is replicated ({@link io.pbft.examples.bank.BankLedger}), its
 * operations ({@link io.pbft.examples.bank.BankOperation}), and its client ({@link io.pbft.examples.bank.BankClient}).
 */
package io.pbft.examples.bank;
