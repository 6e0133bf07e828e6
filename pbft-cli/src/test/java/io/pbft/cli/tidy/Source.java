package io.pbft.cli.tidy;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One Java file, seen three ways that agree line by line: the whole {@code text}; {@code code}, in which the contents
 * of comments and of literals are blanked, so that a rule about calls does not fire on prose; and {@code prose}, in
 * which only literals are blanked.
 *
 * @param path from the root of the repository, with slashes
 */
record Source(String path, String text, String code, String prose) {
    private static final Pattern PACKAGE = Pattern.compile("(?m)^package\\s+([\\w.]+)\\s*;");

    static Source of(String path, String text) {
        Blanking blanking = new Blanking(text);
        return new Source(path, text, blanking.code(), blanking.prose());
    }

    /** The folder of the module: the first part of the path. */
    String module() {
        return path.substring(0, Math.max(0, path.indexOf('/')));
    }

    String packageName() {
        Matcher matcher = PACKAGE.matcher(code);
        return matcher.find() ? matcher.group(1) : "";
    }

    boolean isTest() {
        return path.contains("/src/test/");
    }

    /** Whether this belongs to the part of the program that must be a function of its inputs. */
    boolean isCore() {
        return !isTest() && (packageName() + ".").contains(".core.");
    }

    /** Whether this is in {@code name} or below it. */
    boolean isIn(String name) {
        return packageName().equals(name) || packageName().startsWith(name + ".");
    }

    int lineAt(int offset) {
        return 1
                + (int) text.substring(0, offset).chars().filter(c -> c == '\n').count();
    }

    /** Walks over the text once and copies it twice, each time with spaces for what does not belong. */
    private static final class Blanking {
        private final String text;
        private final StringBuilder code;
        private final StringBuilder prose;
        private int at;

        Blanking(String text) {
            this.text = text;
            this.code = new StringBuilder(text.length());
            this.prose = new StringBuilder(text.length());
            while (at < text.length()) {
                if (text.startsWith("//", at)) {
                    comment(endOf("\n", at));
                } else if (text.startsWith("/*", at)) {
                    comment(Math.min(text.length(), endOf("*/", at + 2) + 2));
                } else if (text.startsWith("\"\"\"", at)) {
                    literal("\"\"\"");
                } else if (text.charAt(at) == '"' || text.charAt(at) == '\'') {
                    literal(text.substring(at, at + 1));
                } else {
                    keep(at + 1);
                }
            }
        }

        String code() {
            return code.toString();
        }

        String prose() {
            return prose.toString();
        }

        private int endOf(String what, int from) {
            int found = text.indexOf(what, from);
            return found < 0 ? text.length() : found;
        }

        private void comment(int end) {
            code.append(blank(at, end));
            prose.append(text, at, end);
            at = end;
        }

        private void literal(String delimiter) {
            int end = at + delimiter.length();
            while (end < text.length() && !text.startsWith(delimiter, end)) {
                end += text.charAt(end) == '\\' ? 2 : 1;
            }
            end = Math.min(end, text.length());
            int close = Math.min(end + delimiter.length(), text.length());
            int open = at + delimiter.length();
            keep(Math.min(open, end));
            code.append(blank(at, end));
            prose.append(blank(at, end));
            at = end;
            keep(close);
        }

        private void keep(int end) {
            code.append(text, at, end);
            prose.append(text, at, end);
            at = end;
        }

        private String blank(int from, int to) {
            return text.substring(from, to).replaceAll("[^\n]", " ");
        }
    }
}
