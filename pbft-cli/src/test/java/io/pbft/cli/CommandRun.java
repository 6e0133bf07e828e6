package io.pbft.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/** One command in this process: its exit code, and what it printed. */
record CommandRun(int exit, String out, String err) {
    static CommandRun of(Object... words) {
        String[] args = new String[words.length];
        for (int i = 0; i < words.length; i++) {
            args[i] = words[i].toString();
        }
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
        return new CommandRun(exit, out.toString(), err.toString());
    }
}
