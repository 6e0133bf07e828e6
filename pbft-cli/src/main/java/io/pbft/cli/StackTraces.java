package io.pbft.cli;

/** Stack traces as text, for those who asked for them. */
final class StackTraces {
    private StackTraces() {}

    static String of(Throwable error) {
        StringBuilder text = new StringBuilder();
        for (Throwable at = error; at != null; at = at.getCause()) {
            text.append(text.isEmpty() ? "" : "caused by: ").append(at).append(System.lineSeparator());
            for (StackTraceElement element : at.getStackTrace()) {
                text.append("    at ").append(element).append(System.lineSeparator());
            }
            if (at.getCause() == at) {
                break;
            }
        }
        return text.toString().stripTrailing();
    }
}
