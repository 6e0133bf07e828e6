package io.pbft.cli;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line of another process of this program: the same Java, the same jar. */
final class JavaCommand {
    /**
     * A replica of a cluster on one machine is light: it shares it with the others. A heap that grows late, and memory that is
     * given back once it is not needed (see {@link HeapKeeper}), cost some more collections. What the log holds lives for a
     * second or two, until a checkpoint is stable: the survivors' spaces are large enough for that to die in them under a
     * moderate load, or it would fill the old generation, whose collection stops a replica ten times as long.
     */
    private static final List<String> HEAP = List.of(
            "-XX:+IgnoreUnrecognizedVMOptions",
            "-Xms48m",
            "-Xmx256m",
            "-XX:NewSize=40m",
            "-XX:MaxNewSize=40m",
            "-XX:SurvivorRatio=3",
            "-XX:MinHeapFreeRatio=15",
            "-XX:MaxHeapFreeRatio=30",
            "-XX:-ShrinkHeapInSteps",
            // What the optimising compiler worked with; from 17.0.9 on.
            "-XX:TrimNativeHeapInterval=10000");

    private JavaCommand() {}

    /** @param options for the JVM, besides those of this one */
    static List<String> of(List<String> options, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(HEAP);
        List<String> own = inherited(ManagementFactory.getRuntimeMXBean().getInputArguments());
        if (own.stream().noneMatch(option -> option.matches("-XX:\\+Use\\w+GC"))) {
            command.add("-XX:+UseSerialGC");
        }
        command.addAll(own);
        command.addAll(options);
        String classPath = System.getProperty("java.class.path");
        boolean executable = classPath.endsWith(".jar") && !classPath.contains(File.pathSeparator);
        if (executable) {
            command.add("-jar");
            command.add(classPath);
        } else {
            // Classes from folders, as an IDE runs them: what the jar's manifest would open to LMDB.
            command.add("--add-opens=java.base/java.nio=ALL-UNNAMED");
            command.add("--add-exports=java.base/sun.nio.ch=ALL-UNNAMED");
            command.add("-cp");
            command.add(classPath);
            command.add(Main.class.getName());
        }
        command.addAll(arguments);
        return command;
    }

    /** The options of this JVM, but not those of which a machine has only one: a debugger's port, an agent. */
    private static List<String> inherited(List<String> options) {
        return options.stream()
                .filter(option -> !option.startsWith("-agent") && !option.startsWith("-javaagent"))
                .filter(option -> !option.startsWith("-XX:TieredStopAtLevel"))
                .toList();
    }
}
