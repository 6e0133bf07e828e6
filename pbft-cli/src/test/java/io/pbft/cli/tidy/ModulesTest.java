package io.pbft.cli.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a library owes those who put its jars on a class path, on a module path, or into an editor. */
class ModulesTest {
    private static final Repository REPOSITORY = Repository.open();
    private static final Pattern MODULE_NAME = Pattern.compile("<module\\.name>([\\w.]+)</module\\.name>");
    private static final Pattern ARTIFACT = Pattern.compile("<artifactId>(pbft-[\\w-]+)</artifactId>");

    /** Those whose packages applications import. */
    private static final List<String> LIBRARIES =
            List.of("crypto", "protocol", "transport", "checkpoint", "pbft-replica", "pbft-client", "simulator");

    @Test
    void everyJarHasAModuleNameOfItsOwnThatItsPackagesBeginWith() {
        Map<String, String> folderOfName = new TreeMap<>();
        for (String folder : Tidy.DIRECTION.keySet()) {
            String name = moduleName(folder);
            assertThat(ModuleDescriptor.newAutomaticModule(name).build().name()).isEqualTo(name);
            assertThat(folderOfName.put(name, folder)).as(name).isNull();
            for (Source source : main(folder)) {
                assertThat(source.packageName() + ".").as(source.path()).startsWith(name + ".");
            }
        }
    }

    @Test
    void noPackageIsSplitBetweenJars() {
        Map<String, TreeSet<String>> foldersOfPackage = new TreeMap<>();
        for (String folder : Tidy.DIRECTION.keySet()) {
            for (Source source : main(folder)) {
                foldersOfPackage
                        .computeIfAbsent(source.packageName(), name -> new TreeSet<>())
                        .add(folder);
            }
        }
        assertThat(foldersOfPackage).containsKey("io.pbft.client");
        assertThat(foldersOfPackage)
                .allSatisfy((name, folders) -> assertThat(folders).hasSize(1));
    }

    @Test
    void theBillOfMaterialsNamesEveryLibraryAndTheVersionOfTheOthers() {
        String bom = REPOSITORY.files().get("bom/pom.xml");
        List<String> named = new ArrayList<>();
        Matcher artifacts = ARTIFACT.matcher(bom);
        while (artifacts.find()) {
            named.add(artifacts.group(1));
        }
        List<String> expected = new ArrayList<>(List.of("pbft-bom"));
        for (String folder : LIBRARIES) {
            expected.add(folder.startsWith("pbft-") ? folder : "pbft-" + folder);
        }
        assertThat(named).containsExactlyElementsOf(expected);
        Pattern version = Pattern.compile("<version>([0-9][^<]*)</version>");
        assertThat(first(version, bom))
                .isEqualTo(first(version, REPOSITORY.files().get("pom.xml")));
    }

    /** As the profile "release" builds it: a broken reference fails here, and not on the day of a release. */
    @Test
    void theJavadocOfTheLibrariesBuildsWithoutAWarning(@TempDir Path pages) {
        List<String> arguments = new ArrayList<>(List.of(
                "-quiet",
                "-Xdoclint:all,-missing",
                "-Werror",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                pages.toString()));
        for (String folder : LIBRARIES) {
            main(folder)
                    .forEach(source -> arguments.add(
                            REPOSITORY.root().resolve(source.path()).toString()));
        }
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
        int code = ToolProvider.findFirst("javadoc").orElseThrow().run(out, out, arguments.toArray(String[]::new));
        assertThat(said.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(code).isZero();
        assertThat(pages.resolve("io/pbft/client/PbftClient.html")).isNotEmptyFile();
    }

    private static List<Source> main(String folder) {
        return REPOSITORY.sources().stream()
                .filter(source -> source.path().startsWith(folder + "/src/main/java/"))
                .toList();
    }

    private static String moduleName(String folder) {
        return first(MODULE_NAME, REPOSITORY.files().get(folder + "/pom.xml"));
    }

    private static String first(Pattern pattern, String text) {
        Matcher found = pattern.matcher(text);
        assertThat(found.find()).as("%s in %s", pattern, text).isTrue();
        return found.group(1);
    }
}
