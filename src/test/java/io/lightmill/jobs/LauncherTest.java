package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests {@code scripts/lightmill} in a checkout whose java, Maven and spark-submit are scripts that
 * log their arguments, one per line.
 */
class LauncherTest {

  private static final String RECORDER =
      """
      #!/usr/bin/env bash
      if [[ $1 == -version ]]; then echo 'openjdk version "%s" 2026-01-01' >&2; exit; fi
      printf '%%s\\n' "$(basename "$0")" "$@" >>"$RECORD"
      echo "OMP_WAIT_POLICY=$OMP_WAIT_POLICY" >>"$RECORD"
      echo "THP_MEM_ALLOC_ENABLE=$THP_MEM_ALLOC_ENABLE" >>"$RECORD"
      echo "NVIDIA_TF32_OVERRIDE=${NVIDIA_TF32_OVERRIDE:-}" >>"$RECORD"
      """;

  @TempDir Path temporary;
  private Path checkout;
  private Path record;
  private final Map<String, String> environment = new TreeMap<>();

  @BeforeEach
  void createCheckout() throws IOException {
    checkout = temporary.resolve("a checkout");
    record = temporary.resolve("record");
    for (String directory : List.of("scripts", "target/lib", "target/spark", "udfs", "jobs")) {
      Files.createDirectories(checkout.resolve(directory));
    }
    Files.createDirectories(checkout.resolve("pipeline/java"));
    Files.createFile(checkout.resolve("pom.xml"));
    Files.createFile(checkout.resolve("target/lib/one.jar"));
    Files.createFile(checkout.resolve("target/lib/two.jar"));
    built();
    executable(
        checkout.resolve("scripts/lightmill"), Files.readString(Path.of("scripts/lightmill")));
    executable(checkout.resolve("mvnw"), RECORDER.formatted(""));
    java("17.0.15");
    environment.put("RECORD", record.toString());
  }

  @Test
  void argumentsArePassedUnchanged() throws Exception {
    Launch launch =
        launch(
            "generate", "--prompt-template", "a {color} {name}, \"new\"", "--column=id=s k u", "");
    assertThat(launch.status).as(launch.output).isZero();
    assertThat(recorded())
        .containsSubsequence(
            "java",
            "@" + checkout + "/conf/spark-java17.opts",
            "-Xmx2g",
            "-Dai.djl.offline=true",
            "-Djava.awt.headless=true",
            "-Dlog4j2.configurationFile=" + checkout + "/conf/log4j2.properties",
            "-cp",
            checkout
                + "/target/lightmill.jar:"
                + checkout
                + "/target/lib/*:"
                + checkout
                + "/target/spark/*",
            "io.lightmill.jobs.Lightmill",
            "generate",
            "--prompt-template",
            "a {color} {name}, \"new\"",
            "--column=id=s k u",
            "",
            "OMP_WAIT_POLICY=PASSIVE",
            "THP_MEM_ALLOC_ENABLE=1",
            "NVIDIA_TF32_OVERRIDE=");
  }

  @Test
  void memoryJavaOptionsAndEnvironmentCanBeSet() throws Exception {
    environment.put("LIGHTMILL_DRIVER_MEMORY", "12g");
    environment.put("LIGHTMILL_JAVA_OPTS", "-Da=1  -Dai.djl.offline=false");
    environment.put("OMP_WAIT_POLICY", "ACTIVE");
    environment.put("THP_MEM_ALLOC_ENABLE", "0");
    assertThat(launch("-v", "verify").status).isZero();
    assertThat(recorded())
        .containsSubsequence(
            "-Xmx12g",
            "-Dai.djl.offline=true",
            "-Da=1",
            "-Dai.djl.offline=false",
            "-cp",
            "verify",
            "OMP_WAIT_POLICY=ACTIVE",
            "THP_MEM_ALLOC_ENABLE=0",
            "NVIDIA_TF32_OVERRIDE=0");
  }

  @Test
  void theCheckoutIsFoundThroughLinks() throws Exception {
    Path bin = Files.createDirectories(temporary.resolve("elsewhere/bin"));
    Files.createSymbolicLink(bin.resolve("first"), checkout.resolve("scripts/lightmill"));
    Files.createSymbolicLink(bin.resolve("second"), Path.of("first"));
    Launch launch = launch(bin.resolve("second"), "--version");
    assertThat(launch.status).as(launch.output).isZero();
    assertThat(recorded()).contains("--version", "@" + checkout + "/conf/spark-java17.opts");
  }

  @Test
  void aMissingJarIsBuiltAndReportedInOneLine() throws Exception {
    Files.delete(checkout.resolve("target/lightmill.jar"));
    Launch launch = launch("--version");
    assertThat(launch.status).as(launch.output).isZero();
    assertThat(launch.output.lines().toList())
        .containsExactly(
            "lightmill: building "
                + checkout
                + "/target/lightmill.jar, which is missing or older than its sources (a minute or"
                + " two)");
    assertThat(recorded())
        .startsWith("mvnw", "-q", "-B", "-ntp", "-Dmaven.test.skip=true", "package");
  }

  @Test
  void aChangedSourceIsBuiltOnce() throws Exception {
    Files.createFile(checkout.resolve("pipeline/java/New.java"));
    Files.setLastModifiedTime(
        checkout.resolve("target/lightmill.jar"), FileTime.from(Instant.now().minusSeconds(60)));
    assertThat(launch("--version").status).isZero();
    assertThat(launch("--version").status).isZero();
    assertThat(recorded()).containsOnlyOnce("mvnw");
  }

  @Test
  void theBuildCanBeDisabled() throws Exception {
    environment.put("LIGHTMILL_NO_BUILD", "1");
    Files.delete(checkout.resolve("target/lightmill.jar"));
    Launch launch = launch("--version");
    assertThat(launch.status).isEqualTo(2);
    assertThat(launch.output)
        .contains(checkout + "/target/lightmill.jar does not exist; run ./mvnw package");
    assertThat(record).doesNotExist();
  }

  @Test
  void aFailedBuildStopsTheLauncher() throws Exception {
    executable(checkout.resolve("mvnw"), "#!/usr/bin/env bash\nexit 1\n");
    Files.delete(checkout.resolve("target/lightmill.jar"));
    Launch launch = launch("--version");
    assertThat(launch.status).isEqualTo(2);
    assertThat(launch.output).contains("the build failed; fix what Maven says above");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.8.0_292", "11.0.2", "23", "25.0.1", "26-ea"})
  void aJavaThatSparkDoesNotRunOnIsReportedWithThoseThatItRunsOn(String version) throws Exception {
    java(version);
    Launch launch = launch("--version");
    assertThat(launch.status).isEqualTo(2);
    assertThat(launch.output.lines().toList())
        .singleElement()
        .asString()
        .startsWith("lightmill: '")
        .endsWith(
            "/jdk/bin/java' is release "
                + version
                + ", but Spark 4.1 runs on releases 17 to 22; install a JDK of release 17 or 21 and"
                + " point JAVA_HOME at it.");
    assertThat(record).doesNotExist();
  }

  @Test
  void aMissingJavaIsReported() throws Exception {
    environment.put("JAVA_HOME", temporary.resolve("nowhere").toString());
    Launch launch = launch("--version");
    assertThat(launch.status).isEqualTo(2);
    assertThat(launch.output).contains("nowhere/bin/java'; install a JDK of release 17 or 21");
  }

  @Test
  void aSparkHomeWithoutSparkIsReported() throws Exception {
    environment.put("SPARK_HOME", temporary.toString());
    Launch launch = launch("generate");
    assertThat(launch.status).isEqualTo(2);
    assertThat(launch.output)
        .contains("SPARK_HOME is '" + temporary + "', but has no bin/spark-submit");
  }

  @Test
  void generateRunsThroughTheSparkDistribution() throws Exception {
    Path spark = temporary.resolve("a spark");
    executable(spark.resolve("bin/spark-submit"), RECORDER.formatted(""));
    environment.put("SPARK_HOME", spark.toString());
    assertThat(launch("generate", "--negative-prompt", "a {b} c").status).isZero();
    assertThat(recorded())
        .containsSubsequence(
            "spark-submit",
            "--class",
            "io.lightmill.jobs.Lightmill",
            "--jars",
            checkout + "/target/lib/one.jar," + checkout + "/target/lib/two.jar",
            "--driver-memory",
            "2g",
            "--driver-java-options",
            checkout + "/target/lightmill.jar",
            "generate",
            "--negative-prompt",
            "a {b} c");
    Files.delete(record);
    assertThat(launch("-v", "verify").status).isZero();
    assertThat(recorded()).startsWith("java");
  }

  private record Launch(int status, String output) {}

  @Test
  void aSmallRunMakesTheClassDataArchiveOnce() throws Exception {
    Files.delete(archive());
    // Writes the archive that it is told to write.
    executable(
        temporary.resolve("jdk/bin/java"),
        RECORDER.formatted("17.0.15")
            + """
            for argument; do
              case $argument in
                -XX:ArchiveClassesAtExit=*) echo classes >"${argument#*=}" ;;
              esac
            done
            """);

    Launch first = launch("generate", "--input", "a.csv");
    assertThat(first.status).as(first.output).isZero();
    assertThat(first.output).contains("preparing faster starts");
    assertThat(archive()).hasContent("classes");
    assertThat(recorded().stream().filter("java"::equals)).hasSize(2);
    assertThat(recorded())
        .containsSubsequence(
            "java", "io.lightmill.jobs.Lightmill", "generate", "--input", "java", "generate")
        .containsOnlyOnce("-XX:SharedArchiveFile=" + archive());

    setTime(archive(), 120);
    Files.delete(record);
    Launch second = launch("generate", "--input", "a.csv");
    assertThat(second.output).isEmpty();
    assertThat(recorded()).containsOnlyOnce("java", "-XX:SharedArchiveFile=" + archive());
  }

  @Test
  void withoutAnArchiveARunStartsAsBefore() throws Exception {
    Files.delete(archive());
    Launch launch = launch("generate", "--input", "a.csv");
    assertThat(launch.status).as(launch.output).isZero();
    assertThat(recorded()).noneMatch(argument -> argument.startsWith("-XX:SharedArchiveFile"));
    assertThat(archive()).isEmptyFile();

    Files.delete(archive());
    Files.delete(record);
    environment.put("LIGHTMILL_NO_BUILD", "1");
    assertThat(launch("generate", "--input", "a.csv").output).isEmpty();
    assertThat(archive()).doesNotExist();

    environment.remove("LIGHTMILL_NO_BUILD");
    assertThat(launch("--version").output).isEmpty();
    assertThat(launch("generate", "--help").output).isEmpty();
    assertThat(archive()).doesNotExist();
  }

  private Path archive() {
    return checkout.resolve("target/lightmill.jsa");
  }

  private Launch launch(String... arguments) throws Exception {
    return launch(checkout.resolve("scripts/lightmill"), arguments);
  }

  private Launch launch(Path script, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(temporary.toFile()).redirectErrorStream(true);
    builder.environment().keySet().retainAll(List.of("PATH"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Launch(process.waitFor(), output);
  }

  private List<String> recorded() throws IOException {
    return Files.readAllLines(record);
  }

  private void built() throws IOException {
    for (Path made : List.of(checkout.resolve("target/lightmill.jar"), archive())) {
      Files.createFile(made);
      setTime(made, 60);
    }
  }

  private static void setTime(Path file, int secondsAhead) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(secondsAhead)));
  }

  private void java(String version) throws IOException {
    Path home = temporary.resolve("jdk");
    executable(home.resolve("bin/java"), RECORDER.formatted(version));
    environment.put("JAVA_HOME", home.toString());
  }

  private static void executable(Path file, String content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
