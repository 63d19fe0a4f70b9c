package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Call;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.store.ImageStore;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs whose images are packed into shards, on S3. */
class PackedGenerationOnS3Test {

  private static final String TABLE =
      "id,prompt\n1,a mug\n2,a jug\n3,\n4,a cup\n5,a pot\n6,a pan\n7,a lid\n";

  private final SolidColorPipeline first = new SolidColorPipeline();
  private final SolidColorPipeline second = new SolidColorPipeline();
  private S3Server s3;
  private FaultyLink link;
  private TestJob job;
  private PackedImages images;

  @BeforeEach
  void start() throws Exception {
    s3 = S3Server.start();
    link = new FaultyLink(s3.endpoint());
    Configuration hadoop = TestSpark.session().sparkContext().hadoopConfiguration();
    s3.settings(link.endpoint()).forEach(hadoop::set);
    s3.put("in/prompts.csv", TABLE.getBytes(UTF_8));
    job = new TestJob(Path.of("unused"), Path.of("unused")).batchSize(2).partitions(1);
    job.table(s3.uri("in/prompts.csv")).output(s3.uri("out"));
    images = new PackedImages(ImageStore.open(s3.uri("out"), hadoop), s3.uri("out"));
  }

  @AfterEach
  void stop() {
    link.close();
    s3.close();
  }

  private static boolean ofAShard(Call call) {
    return call.changes() && call.target().matches(".*/shards/.*\\.(tar|parquet).*");
  }

  @ParameterizedTest
  @EnumSource
  void everyImageStandsInAShardAndARerunFindsItThere(ShardFormat format) throws Exception {
    job.packed(format, 4);

    RunResult result = job.run(first);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 6L, "invalid", 1L));
    images.assertThere(result);
    images.assertNothingElse(result);
    assertThat(s3.keys("out/staged/")).isEmpty();
    assertThat(link.changes().stream().filter(call -> call.contains("/staged/")))
        .hasSize(6)
        .allMatch(call -> call.startsWith("PUT "));
    assertThat(link.calls().stream().filter(PackedGenerationOnS3Test::ofAShard)).hasSize(2);
    assertThat(s3.pendingUploads()).doesNotContain("<Upload>");

    RunResult again = job.runId("second").run(second);

    assertThat(again.summary().labelled()).isEqualTo(Map.of("reused", 6L, "invalid", 1L));
    assertThat(second.loads).hasValue(0);
    images.assertThere(again);
    images.assertNothingElse(result);
  }

  @Test
  void aShardWhoseWayIsBadStandsAllTheSame() throws Exception {
    Iterator<Fault> faults =
        EnumSet.of(Fault.SLOW_DOWN, Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER, Fault.SLOW)
            .iterator();
    Set<String> struck = ConcurrentHashMap.newKeySet();
    link.failing(
        call ->
            ofAShard(call) && faults.hasNext() && struck.add(call.target())
                ? faults.next()
                : Fault.NONE);

    RunResult result = job.packed(ShardFormat.WEBDATASET, 1).run(first);

    assertThat(faults).isExhausted();
    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 6L, "invalid", 1L));
    images.assertThere(result);
    images.assertNothingElse(result);
  }

  @ParameterizedTest
  @EnumSource
  void shardsThatCannotBeStoredFailTheRunAndTheNextOnePacksWithoutDrawing(ShardFormat format)
      throws Exception {
    link.failing(call -> ofAShard(call) ? Fault.DENIED : Fault.NONE);
    job.packed(format, 4);

    assertThatThrownBy(() -> job.run(first))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED))
        .hasMessageContaining("shards/run_id=first/part-00000-0000-");
    assertThat(s3.keys("out/shards/")).isEmpty();
    List<String> staged = s3.keys("out/staged/");
    assertThat(staged).hasSizeGreaterThanOrEqualTo(4);
    link.failing(call -> Fault.NONE);

    RunResult result = job.runId("second").run(second);

    assertThat(result.summary().labelled().get("reused")).isEqualTo(staged.size());
    assertThat(second.batches.stream().mapToInt(List::size).sum()).isEqualTo(6 - staged.size());
    images.assertThere(result);
    images.assertNothingElse(result);
  }

  @Test
  void aManifestThatCannotBeCommittedCostsNoImage() throws Exception {
    link.failing(
        call ->
            call.method().equals("PUT") && call.target().contains("/out/manifest/")
                ? Fault.DENIED
                : Fault.NONE);
    job.packed(ShardFormat.PARQUET, 4);
    assertThatThrownBy(() -> job.run(first)).hasStackTraceContaining("AccessDenied");
    assertThat(s3.keys("out/shards/")).hasSize(2).allMatch(key -> key.contains("run_id=first"));
    link.failing(call -> Fault.NONE);

    RunResult result = job.runId("second").run(second);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("reused", 6L, "invalid", 1L));
    assertThat(second.loads).hasValue(0);
    images.assertThere(result);
    images.assertNothingElse(result);
    assertThat(s3.keys("out/shards/")).isNotEmpty().noneMatch(key -> key.contains("run_id=first"));
  }
}
