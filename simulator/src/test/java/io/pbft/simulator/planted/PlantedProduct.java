package io.pbft.simulator.planted;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The product and the simulator with a {@link PlantedBug} in them: the changed classes are compiled in memory, and a class
 * loader of their own loads them and, unchanged, all other classes of the project. Whoever runs the product in any other way
 * can never meet one.
 */
final class PlantedProduct extends ClassLoader {
    private final Map<String, byte[]> changed;

    private PlantedProduct(Map<String, byte[]> changed) {
        super(PlantedProduct.class.getClassLoader());
        this.changed = changed;
    }

    /** Runs seeds of the product with {@code bug} in it: see {@link Hunt}. */
    static LongFunction<String> with(PlantedBug bug, int replicas) {
        return hunt(compile(bug.sources()), replicas, "");
    }

    /** Likewise, but only seeds whose runs {@link PlantedBug#aim} fits; all others count as passed. */
    static LongFunction<String> aimedAt(PlantedBug bug, int replicas) {
        return hunt(compile(bug.sources()), replicas, bug.aim());
    }

    /** Runs seeds of the product as it is. */
    static LongFunction<String> unchanged(int replicas) {
        return hunt(Map.of(), replicas, "");
    }

    @SuppressWarnings("unchecked")
    private static LongFunction<String> hunt(Map<String, byte[]> changed, int replicas, String aim) {
        try {
            Class<?> hunt = new PlantedProduct(changed).loadClass(Hunt.class.getName());
            return (LongFunction<String>)
                    hunt.getConstructor(int.class, String.class).newInstance(replicas, aim);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith("io.pbft.")) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> known = findLoadedClass(name);
            if (known != null) {
                return known;
            }
            byte[] bytes = changed.getOrDefault(name, bytesOf(name));
            return defineClass(name, bytes, 0, bytes.length);
        }
    }

    private byte[] bytesOf(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, byte[]> compile(Map<String, String> sources) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        Map<String, ByteArrayOutputStream> written = new HashMap<>();
        List<JavaFileObject> units = new ArrayList<>();
        sources.forEach((name, text) -> units.add(new Source(name, text)));
        try (StandardJavaFileManager standard = compiler.getStandardFileManager(null, null, null);
                JavaFileManager manager = new InMemory(standard, written)) {
            List<String> flags = List.of(
                    "--release", "17", "-proc:none", "-nowarn", "-classpath", System.getProperty("java.class.path"));
            if (!compiler.getTask(said, manager, null, flags, null, units).call()) {
                throw new IllegalStateException("what is planted does not compile:\n" + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, byte[]> classes = new HashMap<>();
        written.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
        return classes;
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String name, String text) {
            super(URI.create("memory:///" + name.replace('.', '/') + ".java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    private static final class InMemory extends ForwardingJavaFileManager<StandardJavaFileManager> {
        private final Map<String, ByteArrayOutputStream> written;

        InMemory(StandardJavaFileManager standard, Map<String, ByteArrayOutputStream> written) {
            super(standard);
            this.written = written;
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("memory:///" + className + ".class"), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return written.computeIfAbsent(className, name -> new ByteArrayOutputStream());
                }
            };
        }
    }
}
