package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.history.CommittedRun;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.ColumnOptions;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.shard.ShardFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run plans only the rows that are not as in the newest run, and its manifest is the one that it
 * would have if it planned all rows.
 */
class UnchangedRowsTest {

  /** Of the run, and different each time. */
  private static final Set<String> OF_RUN =
      Set.of(
          "run_id",
          "attempt",
          "created_at",
          "path_uri",
          "generate_ms",
          "encode_prompt_ms",
          "denoise_ms",
          "decode_ms",
          "encode_ms",
          "store_ms");

  @TempDir Path directory;

  private final SolidColorPipeline first = new SolidColorPipeline();
  private final SolidColorPipeline second = new SolidColorPipeline();

  private TestJob job(String... lines) throws IOException {
    return TestJob.in(directory, List.of(lines)).recognizingRows();
  }

  private Path output() {
    return directory.resolve("out");
  }

  private Path image(RunResult run, String id, int variant) {
    return run
        .manifest()
        .filter(
            ManifestColumns.ID
                .col()
                .equalTo(id)
                .and(ManifestColumns.VARIANT.col().equalTo(variant)))
        .collectAsList()
        .stream()
        .map(row -> output().resolve(ManifestColumns.PATH.<String>of(row)))
        .findFirst()
        .orElseThrow();
  }

  /** A copy of the output whose manifests have no digests, as those of older releases. */
  private Path withoutDigests() throws IOException {
    Path copy = directory.resolve("older");
    FileUtils.copyDirectory(output().toFile(), copy.toFile());
    List<Path> manifests;
    try (Stream<Path> files = Files.list(copy.resolve("manifest"))) {
      manifests = files.filter(file -> file.toString().endsWith(".parquet")).toList();
    }
    for (Path manifest : manifests) {
      Path rewritten = directory.resolve("rewritten");
      TestSpark.session()
          .read()
          .parquet(manifest.toString())
          .drop(ManifestColumns.ROW_DIGEST.name())
          .coalesce(1)
          .write()
          .mode(SaveMode.Overwrite)
          .option("compression", "snappy")
          .parquet(rewritten.toString());
      try (Stream<Path> parts = Files.list(rewritten)) {
        Files.copy(
            parts.filter(part -> part.toString().endsWith(".parquet")).findFirst().orElseThrow(),
            manifest,
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return copy;
  }

  private static List<Map<String, Object>> rows(RunResult run) {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (Row row : run.manifest().collectAsList()) {
      Map<String, Object> values = new TreeMap<>();
      for (String name : row.schema().fieldNames()) {
        if (!OF_RUN.contains(name)) {
          values.put(name, String.valueOf(row.<Object>getAs(name)));
        }
      }
      rows.add(values);
    }
    rows.sort(Comparator.comparing(row -> row.get("id") + "/" + row.get("variant")));
    return rows;
  }

  @Test
  void onlyRowsThatDifferOrWhoseImagesAreGoneArePlanned() throws IOException {
    String header = "id,prompt,negative_prompt,sku,num_images_per_prompt";
    RunResult before =
        job(
                header,
                "1,a mug,blur,007,1",
                "2,a jug,,8,2",
                "3,a cup,,9,1",
                "4,a pot,,10,1",
                "5,a can,,11,1",
                "6,a bin,,12,2",
                "7,a mug,blur,13,1",
                ",a lid,,14,1",
                "9,,,15,1")
            .run(first);
    Files.delete(image(before, "5", 0));
    Files.delete(image(before, "6", 1));
    Path older = withoutDigests();
    TestJob job =
        job(
                header,
                "7,a mug,blur,13,1",
                "1,a mug,blur,007,1",
                "2,a jug,,8,2",
                "3,a blue cup,,9,1",
                "4,a pot,,changed,1",
                "5,a can,,11,1",
                "6,a bin,,12,2",
                ",a lid,,14,1",
                "8,a tin,,16,1")
            .runId("second");

    RunResult after = job.run(second);

    // 1, 2 and 7 are unchanged; 3, 4, 5, 6, 8 and the row without id are planned.
    assertThat(second.planned).hasValue(6);
    assertThat(after.summary().labelled())
        .isEqualTo(Map.of("generated", 4L, "reused", 6L, "invalid", 1L));
    SolidColorPipeline third = new SolidColorPipeline();
    RunResult all = job.output(older.toString()).run(third);
    assertThat(third.planned).hasValue(9);
    assertThat(rows(after)).isEqualTo(rows(all));
  }

  @Test
  void rowsInShardsAreRecognizedUntilAShardIsGone() throws IOException {
    TestJob job = job(TestJob.rows(6)).packed(ShardFormat.WEBDATASET, 3).partitions(1);
    RunResult before = job.run(first);

    RunResult after = job.runId("second").run(second);
    assertThat(second.planned).hasValue(0);
    assertThat(rows(after)).hasSize(6).allMatch(row -> row.get("status").equals("reused"));

    Files.delete(image(before, "0", 0));
    SolidColorPipeline third = new SolidColorPipeline();
    RunResult repaired = job.runId("third").run(third);
    assertThat(third.planned).hasValue(3);
    assertThat(repaired.summary().labelled()).isEqualTo(Map.of("generated", 3L, "reused", 3L));
  }

  @Test
  void whateverElseDecidesThePlanIsAPartOfTheDigest() throws IOException {
    TestJob job = job("id,prompt", "1,a mug", "2,a jug").pathTemplate("{id}-{image_id}");
    job.run(first);
    Optional<String> plan = plan();

    assertThat(planned(job.runId("same"))).isZero();
    assertThat(plan()).isPresent().isEqualTo(plan);
    assertThat(planned(job.runId("width").width(128))).isEqualTo(2);
    assertThat(plan()).isPresent().isNotEqualTo(plan);
    assertThat(planned(job.runId("width again"))).isZero();
    assertThat(planned(job.runId("policy").option(CheckOptions.POLICY, "none"))).isEqualTo(2);
    assertThat(planned(job.runId("path").pathTemplate("{image_id}"))).isEqualTo(2);
    // The images are still under the other path, so that the plan does not follow from it.
    assertThat(planned(job.runId("path again"))).isEqualTo(2);
    assertThat(
            planned(job.runId("steps").option(ColumnOptions.all().get("num_inference_steps"), "3")))
        .isEqualTo(2);
    assertThat(planned(job.runId("forced").force())).isEqualTo(2);
  }

  @Test
  void aNewRowWithTheIdOfAnUnchangedRowIsRefused() throws IOException {
    job("id,prompt", "1,a mug", "2,a jug").run(first);
    TestJob job = job("id,prompt", "1,a mug", "2,a jug", "2,a can").runId("second");

    assertThatThrownBy(() -> job.run(second))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("'2' (2 rows)");
  }

  @Test
  void equalRowsWithoutIdsAreRecognizedOneByOne() throws IOException {
    job("prompt", "a mug", "a mug", "a jug").run(first);
    assertThat(planned(job("prompt", "a jug", "a mug", "a mug").runId("same"))).isZero();

    // The number of equal rows differs by more than one, so that all rows are planned.
    RunResult more =
        job("prompt", "a mug", "a mug", "a mug", "a mug", "a jug").runId("more").run(second);
    assertThat(second.planned).hasValue(5);
    assertThat(more.summary().labelled()).isEqualTo(Map.of("generated", 2L, "reused", 3L));
  }

  /** In the footer of the newest manifest. Digests of another plan are not compared. */
  private Optional<String> plan() {
    return CommittedRun.newest(output().toString(), new Configuration())
        .flatMap(CommittedRun::plan);
  }

  private static int planned(TestJob job) {
    SolidColorPipeline pipeline = new SolidColorPipeline();
    job.run(pipeline);
    return pipeline.planned.get();
  }
}
