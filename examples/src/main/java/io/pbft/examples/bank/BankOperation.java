package io.pbft.examples.bank;

import io.pbft.crypto.Bytes;
import java.util.List;

/** What the bank is asked to do, as a line of words: "transfer alice bob 5". Client and replicas share this class. */
public sealed interface BankOperation {
    record Open(String account, long amount) implements BankOperation {}

    record Transfer(String from, String to, long amount) implements BankOperation {}

    record Balance(String account) implements BankOperation {}

    default Bytes encode() {
        if (this instanceof Open open) {
            return Bytes.utf8("open " + name(open.account()) + " " + open.amount());
        } else if (this instanceof Transfer transfer) {
            return Bytes.utf8(
                    "transfer " + name(transfer.from()) + " " + name(transfer.to()) + " " + transfer.amount());
        }
        return Bytes.utf8("balance " + name(((Balance) this).account()));
    }

    /** Refuses what is no operation: anybody with a client's key can send any bytes. */
    static BankOperation decode(Bytes encoding) {
        List<String> words = List.of(encoding.toUtf8().split(" ", -1));
        String kind = words.get(0) + "/" + (words.size() - 1);
        return switch (kind) {
            case "open/2" -> new Open(name(words.get(1)), amount(words.get(2)));
            case "transfer/3" -> new Transfer(name(words.get(1)), name(words.get(2)), amount(words.get(3)));
            case "balance/1" -> new Balance(name(words.get(1)));
            default -> throw new IllegalArgumentException("not an operation of the bank: " + kind);
        };
    }

    private static String name(String name) {
        if (!name.matches("[a-z]{1,32}")) {
            throw new IllegalArgumentException("an account is named by 1 to 32 letters from a to z");
        }
        return name;
    }

    private static long amount(String digits) {
        if (!digits.matches("[0-9]{1,15}")) {
            throw new IllegalArgumentException("an amount is a number of up to 15 digits");
        }
        return Long.parseLong(digits);
    }
}
