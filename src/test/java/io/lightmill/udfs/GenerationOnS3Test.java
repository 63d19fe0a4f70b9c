package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.run.RunResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole flow where table and output are on S3. */
@ParameterizedClass
@EnumSource
class GenerationOnS3Test {

  private static final String TABLE =
      "id,prompt,sku\n1,a mug,A\n2,a jug,B\n3,,C\n4,a cup,D\n5,a pot,E\n";

  /** Without images: checks, lock, listings, manifest, state, record and contact sheet. */
  private static final int MOST_CALLS = 150;

  @Parameter S3Server.Software software;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private S3Server s3;
  private FaultyLink link;
  private TestJob job;

  @BeforeEach
  void start() throws Exception {
    s3 = S3Server.start(software);
    link = new FaultyLink(s3.endpoint());
    Configuration hadoop = TestSpark.session().sparkContext().hadoopConfiguration();
    s3.settings(link.endpoint()).forEach(hadoop::set);
    s3.put("in/prompts.csv", TABLE.getBytes(UTF_8));
    job = new TestJob(Path.of("unused"), Path.of("unused"));
    job.table(s3.uri("in/prompts.csv")).output(s3.uri("out"));
  }

  @AfterEach
  void stop() {
    link.close();
    s3.close();
  }

  @Test
  void imagesAndManifestAreStoredOnceAndARerunFindsThem() throws Exception {
    RunResult result = job.run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 4L, "invalid", 1L));
    for (Row row : result.manifest().filter("path is not null").collectAsList()) {
      String key = "out/" + row.<String>getAs("path");
      assertThat(row.<String>getAs("sha256")).isEqualTo(DigestUtils.sha256Hex(s3.object(key)));
      assertThat(s3.contentType(key)).isEqualTo("image/png");
      assertThat(link.changes().stream().filter(call -> call.contains(key)))
          .containsExactly("PUT /" + s3.bucket() + "/" + key);
    }
    assertThat(keys().stream().filter(key -> key.contains("manifest/")))
        .containsExactly("out/manifest/first.parquet");
    assertThat(keys()).contains("out/current.parquet");
    assertThat(s3.pendingUploads()).doesNotContain("<Upload>");
    assertThat(keys())
        .noneMatch(key -> key.matches(".*(__magic|_temporary|run\\.lock|\\.commit).*"));

    SolidColorPipeline other = new SolidColorPipeline();
    assertThat(job.runId("second").run(other).summary().labelled())
        .isEqualTo(Map.of("reused", 4L, "invalid", 1L));
    assertThat(other.loads).hasValue(0);
  }

  @Test
  void aRunMakesFewCallsBesidesThoseOfItsImages() {
    job.run(pipeline);
    int first = link.calls().size();
    job.runId("second").run(pipeline);

    // 4 images: a PUT each; those that are reused have a GET for the contact sheet.
    assertThat(first).isLessThan(MOST_CALLS);
    assertThat(link.calls().size() - first).isLessThan(MOST_CALLS);
  }

  @Test
  void aContactSheetThatCannotBeStoredIsAProblemAndDoesNotFailTheRun() throws Exception {
    link.failing(
        call ->
            call.method().equals("PUT") && call.target().contains("/out/contact-sheet")
                ? Fault.DENIED
                : Fault.NONE);

    RunResult result = job.run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 4L, "invalid", 1L));
    assertThat(keys()).contains("out/manifest/first.parquet", "out/runs/first.json");
    assertThat(result.contactSheet()).isEmpty();
    assertThat(result.contactSheetImage()).isEmpty();
    assertThat(result.problems())
        .singleElement()
        .asString()
        .startsWith("the contact sheet cannot be drawn: ");
  }

  @Test
  void aRunWithoutAManifestIsTakenUpByItsImages() throws Exception {
    job.run(pipeline);
    for (String key : keys()) {
      if (key.contains("manifest/")) {
        s3.delete(key);
      }
    }

    SolidColorPipeline other = new SolidColorPipeline();
    assertThat(job.run(other).summary().labelled()).isEqualTo(Map.of("reused", 4L, "invalid", 1L));
    assertThat(other.loads).hasValue(0);
  }

  @Test
  void whatFailsOnItsWayIsStoredAllTheSame() throws Exception {
    Map<String, Fault> faults =
        Map.of(
            "1", Fault.SLOW_DOWN,
            "2", Fault.DROPPED_AFTER,
            "4", Fault.DROPPED_BEFORE,
            "5", Fault.SLOW);
    Map<String, Integer> struck = new ConcurrentHashMap<>();
    link.failing(
        call -> {
          String row = call.target().replaceFirst(".*/images/(\\d)\\.png.*", "$1");
          boolean image = call.method().equals("PUT") && faults.containsKey(row);
          return image && struck.merge(row, 1, Integer::sum) == 1 ? faults.get(row) : Fault.NONE;
        });

    RunResult result = job.pathTemplate("{id}").run(pipeline);

    assertThat(struck.keySet()).isEqualTo(faults.keySet());
    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 4L, "invalid", 1L));
    for (Row row : result.manifest().filter("path is not null").collectAsList()) {
      assertThat(row.<String>getAs("sha256"))
          .isEqualTo(DigestUtils.sha256Hex(s3.object("out/" + row.<String>getAs("path"))));
    }
  }

  @Test
  void filesAndUploadsOfKilledRunsAreRemoved() throws Exception {
    List<String> uploads =
        List.of(
            "out/shards/run_id=dead/part-0.tar",
            "out/.commit/run_id=dead/manifest/part-0.parquet",
            "out/manifest/run_id=dead/part-0.parquet");
    for (String upload : uploads) {
      s3.beginUpload(upload);
    }
    s3.beginUpload("elsewhere/part-0.tar");
    s3.put("out/manifest/run_id=dead/part-1.parquet", new byte[1]);
    s3.put("out/manifest/run_id=dead/__magic_job-1/tasks/part-0.parquet.pending", new byte[1]);
    s3.put("out/.commit/run_id=dead/manifest/__magic_job-1/part-0.parquet.pending", new byte[1]);
    s3.put("out/.plan/run_id=dead/rows/part-0.parquet", new byte[1]);
    assertThat(s3.pendingUploads()).contains(uploads).contains("elsewhere/part-0.tar");

    job.run(pipeline);

    assertThat(s3.pendingUploads()).doesNotContain("out/").contains("elsewhere/part-0.tar");
    assertThat(keys()).noneMatch(key -> key.contains("dead"));
  }

  private List<String> keys() throws Exception {
    return s3.keys("");
  }
}
