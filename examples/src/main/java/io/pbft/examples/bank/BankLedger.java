package io.pbft.examples.bank;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.replica.Operation;
import io.pbft.replica.StateMachine;

/**
 * Accounts that no operation can overdraw, and that pay out at most {@link #DAILY_LIMIT} a day. Everything lives in the state
 * that it is handed; "today" is the agreed time, equal on all replicas. An exception undoes the operation and reaches the client.
 */
public final class BankLedger implements StateMachine {
    public static final long DAILY_LIMIT = 1_000;

    private static final long DAY_MILLIS = 24L * 60 * 60 * 1_000;

    @Override
    public Bytes apply(Operation operation, State state) {
        BankOperation asked = BankOperation.decode(operation.payload());
        if (asked instanceof BankOperation.Open open) {
            return open(open, state);
        } else if (asked instanceof BankOperation.Transfer transfer) {
            return transfer(transfer, operation.timeMillis() / DAY_MILLIS, state);
        }
        return query(operation, state);
    }

    @Override
    public Bytes query(Operation operation, StateView state) {
        if (BankOperation.decode(operation.payload()) instanceof BankOperation.Balance balance) {
            return number(balanceOf(balance.account(), state));
        }
        throw new IllegalArgumentException("only a balance can be read");
    }

    private static Bytes open(BankOperation.Open open, State state) {
        if (state.get(balanceKey(open.account())).isPresent()) {
            throw new IllegalArgumentException("there is an account " + open.account() + " already");
        }
        state.put(balanceKey(open.account()), number(open.amount()));
        return number(open.amount());
    }

    private static Bytes transfer(BankOperation.Transfer transfer, long day, State state) {
        Bytes paidKey = Bytes.utf8("paid/" + transfer.from() + "/" + day);
        long paid = state.get(paidKey).map(BankLedger::number).orElse(0L) + transfer.amount();
        if (paid > DAILY_LIMIT) {
            throw new IllegalArgumentException(transfer.from() + " pays at most " + DAILY_LIMIT + " a day");
        }
        long left = balanceOf(transfer.from(), state) - transfer.amount();
        if (left < 0) {
            throw new IllegalArgumentException(transfer.from() + " has too little");
        }
        state.put(paidKey, number(paid));
        state.put(balanceKey(transfer.from()), number(left));
        long received = Math.addExact(balanceOf(transfer.to(), state), transfer.amount());
        state.put(balanceKey(transfer.to()), number(received));
        return number(balanceOf(transfer.from(), state));
    }

    private static long balanceOf(String account, StateView state) {
        return state.get(balanceKey(account))
                .map(BankLedger::number)
                .orElseThrow(() -> new IllegalArgumentException("there is no account " + account));
    }

    private static Bytes balanceKey(String account) {
        return Bytes.utf8("balance/" + account);
    }

    private static Bytes number(long number) {
        return Bytes.utf8(Long.toString(number));
    }

    private static long number(Bytes digits) {
        return Long.parseLong(digits.toUtf8());
    }
}
