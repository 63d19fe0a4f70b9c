package io.lightmill.udfs.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestJob;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.io.file.PathUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An output of an older release, which wrote a directory {@code manifest/run_id=…} for each run,
 * and files that killed runs leave. {@code src/test/resources/old-output} has two runs: files, and
 * images in a tar shard.
 */
class OldOutputTest {

  private static final Path OLD = Path.of("src/test/resources/old-output");

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private Path output;

  @BeforeEach
  void copy() throws IOException {
    output = directory.resolve("out");
    PathUtils.copyDirectory(OLD, output);
    age("first", 2);
    age("second", 1);
  }

  /** Gives a manifest a time before today. */
  private void age(String runId, int days) throws IOException {
    for (Path file : files(output.resolve("manifest/run_id=" + runId))) {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofDays(days))));
    }
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  private RunResult run(String runId) throws IOException {
    return TestJob.in(
            directory,
            List.of(
                "sku,caption,price",
                "007,a mug,19.90",
                "008,a jug,5",
                "010,a cup,3",
                "011,a pot,4"))
        .option(Options.COLUMN, Map.of("id", "sku", "prompt", "caption"))
        .runId(runId)
        .run(pipeline);
  }

  private Dataset<Row> read(String... option) {
    return TestSpark.session()
        .read()
        .format("lightmill")
        .options(option.length == 0 ? Map.of() : Map.of(option[0], option[1]))
        .load(output.toString())
        .orderBy("id");
  }

  @Test
  void itIsReadAsItIs() {
    assertThat(read().select("id", "status", "run_id").collectAsList())
        .hasToString(
            "[[007,generated,first], [008,generated,first], [009,invalid,first],"
                + " [010,generated,second], [011,generated,second]]");
    assertThat(read("run-id", "second").count()).isEqualTo(2);
  }

  @Test
  void aRunFindsItsImagesAndConvertsItsManifests() throws IOException {
    List<Row> before = read("run-id", "first").select("id", "sha256", "created_at").collectAsList();

    RunResult result = run("third");

    assertThat(result.summary().labelled()).isEqualTo(Map.of("reused", 4L));
    assertThat(result.problems()).isEmpty();
    assertThat(pipeline.loads).hasValue(0);
    assertThat(files(output.resolve("manifest")))
        .extracting(file -> file.getFileName().toString())
        .containsExactly("first.parquet", "second.parquet", "third.parquet");
    Dataset<Row> all = TestSpark.session().read().parquet(output.resolve("manifest").toString());
    assertThat(all.groupBy("run_id").count().orderBy("run_id").collectAsList())
        .hasToString("[[first,3], [second,2], [third,4]]");
    assertThat(all.filter("path_uri is null").select("id").collectAsList()).hasToString("[[009]]");
    assertThat(read("run-id", "first").select("id", "sha256", "created_at").collectAsList())
        .isEqualTo(before);
    assertThat(
            CommittedRun.of(
                output.toString(), TestSpark.session().sparkContext().hadoopConfiguration()))
        .extracting(CommittedRun::runId)
        .containsExactly("third", "second", "first");
    assertThat(read().select("id", "run_id").collectAsList())
        .hasToString("[[007,third], [008,third], [009,first], [010,third], [011,third]]");

    assertThat(run("fourth").summary().labelled()).isEqualTo(Map.of("reused", 4L));
    assertThat(pipeline.loads).hasValue(0);
  }

  @Test
  void aConversionThatWasKilledIsCompleted() throws IOException {
    Path kept = directory.resolve("kept");
    PathUtils.copyDirectory(output.resolve("manifest/run_id=first"), kept);
    run("third");
    PathUtils.copyDirectory(kept, output.resolve("manifest/run_id=first"));

    assertThat(read("all-runs", "true").groupBy("run_id").count().orderBy("run_id").collectAsList())
        .hasToString("[[first,3], [second,2], [third,4]]");
    assertThat(run("fourth").summary().labelled()).isEqualTo(Map.of("reused", 4L));
    assertThat(output.resolve("manifest/run_id=first")).doesNotExist();
  }

  @Test
  void filesOfKilledRunsAreRemoved() throws IOException {
    String temporary = ".01234567-89ab-cdef-0123-456789abcdef.tmp";
    List<String> dead =
        List.of(
            "manifest/.run_id=dead/part-0.parquet",
            "manifest/run_id=dead/part-0.parquet",
            "manifest/run_id=dead/__magic_job-1/tasks/part-0.parquet.pending",
            "manifest/_temporary/0/part-0.parquet",
            "manifest/" + temporary,
            ".commit/run_id=dead/rows/_temporary/0/part-0.parquet",
            ".plan/run_id=dead/rows/part-0.parquet",
            temporary);
    String starting = ".11234567-89ab-cdef-0123-456789abcdef.tmp";
    for (String file : Stream.concat(dead.stream(), Stream.of(starting)).toList()) {
      Files.createDirectories(output.resolve(file).getParent());
      Files.writeString(output.resolve(file), "half");
    }
    Files.setLastModifiedTime(
        output.resolve(temporary), FileTime.from(Instant.now().minus(Duration.ofHours(2))));

    RunResult result = run("third");

    assertThat(result.summary().labelled()).isEqualTo(Map.of("reused", 4L));
    assertThat(files(output.resolve("manifest"))).hasSize(3).allMatch(Files::isRegularFile);
    assertThat(files(output))
        .extracting(file -> file.getFileName().toString())
        .filteredOn(name -> name.startsWith("."))
        .containsExactly(starting); // another run may be writing it
  }
}
