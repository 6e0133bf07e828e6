package io.pbft.cli.tidy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Just enough of Java's grammar to match brackets, count arguments and find where methods begin and end. */
final class Calls {
    private static final Pattern BODY = Pattern.compile("\\)\\s*(?:throws\\s+[\\w.,\\s]+)?\\{");
    private static final Pattern COMPACT = Pattern.compile("(?:public|protected|private)\\s+(?<name>[A-Z]\\w*)\\s*\\{");
    private static final Pattern NAME_BEFORE =
            Pattern.compile("(?:\\b(?<before>\\w+)\\s+)?(?<name>\\w[\\w.]*(?:<[^()]*>)?)\\s*$");
    private static final List<String> NOT_METHODS =
            List.of("if", "for", "while", "switch", "catch", "synchronized", "try");

    private Calls() {}

    /** A method with a body: {@code start} and {@code end} are offsets of its name and of its closing brace. */
    record Method(String name, int start, int end) {}

    /** The bracket that closes the one at {@code open}, or the end of the text where none does. */
    static int closing(String code, int open) {
        int depth = 0;
        for (int i = open; i < code.length(); i++) {
            char c = code.charAt(i);
            if (c == '(' || c == '[' || c == '{') {
                depth++;
            } else if (c == ')' || c == ']' || c == '}') {
                depth--;
                if (depth == 0) {
                    return i;
                }
            }
        }
        return code.length() - 1;
    }

    private static int opening(String code, int close) {
        int depth = 0;
        for (int i = close; i >= 0; i--) {
            char c = code.charAt(i);
            if (c == ')') {
                depth++;
            } else if (c == '(') {
                depth--;
                if (depth == 0) {
                    return i;
                }
            }
        }
        return 0;
    }

    /** How many arguments stand in the parentheses at {@code open}; commas inside type arguments count too. */
    static int arguments(String code, int open) {
        int close = closing(code, open);
        if (code.substring(open + 1, close).isBlank()) {
            return 0;
        }
        int depth = 0;
        int count = 1;
        for (int i = open; i < close; i++) {
            char c = code.charAt(i);
            if (c == '(' || c == '[' || c == '{') {
                depth++;
            } else if (c == ')' || c == ']' || c == '}') {
                depth--;
            } else if (c == ',' && depth == 1) {
                count++;
            }
        }
        return count;
    }

    static List<Method> methods(String code) {
        List<Method> methods = new ArrayList<>();
        Matcher body = BODY.matcher(code);
        while (body.find()) {
            int open = opening(code, body.start());
            Matcher name = NAME_BEFORE.matcher(code.substring(0, open)).region(Math.max(0, open - 200), open);
            if (name.find() && isMethod(name.group("before"), name.group("name"))) {
                methods.add(new Method(name.group("name"), name.start("name"), closing(code, body.end() - 1)));
            }
        }
        Matcher compact = COMPACT.matcher(code);
        while (compact.find()) {
            methods.add(new Method(compact.group("name"), compact.start("name"), closing(code, compact.end() - 1)));
        }
        return methods;
    }

    private static boolean isMethod(@Nullable String before, String name) {
        return !NOT_METHODS.contains(name) && !"new".equals(before) && !"record".equals(before);
    }
}
