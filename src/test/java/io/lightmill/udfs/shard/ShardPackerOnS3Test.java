package io.lightmill.udfs.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Call;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.store.ImageStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shards that are uploaded in parts. */
class ShardPackerOnS3Test {

  private static final int BYTES = 2 << 20;
  private static final AtomicInteger ROOTS = new AtomicInteger();

  private static S3Server s3;
  private final String root = "out" + ROOTS.incrementAndGet();
  private FaultyLink link;
  private ImageStore store;
  private List<ShardImage> images;

  @BeforeAll
  static void start() throws Exception {
    s3 = S3Server.start();
  }

  @AfterAll
  static void stop() {
    s3.close();
  }

  @BeforeEach
  void open() throws Exception {
    link = new FaultyLink(s3.endpoint());
    Configuration configuration = s3.configuration(link.endpoint());
    configuration.set("fs.s3a.multipart.size", "5M");
    store = ImageStore.open(s3.uri(root), configuration);
    images =
        TestStagedImages.of(
            store, BYTES, IntStream.range(0, 6).mapToObj(i -> i + ".png").toArray(String[]::new));
  }

  @AfterEach
  void close() {
    link.close();
  }

  private PackedShard pack(ShardFormat format) {
    return new ShardPacker(store, format).pack("shards/part", images);
  }

  private static boolean ofAShard(Call call) {
    return call.changes() && call.target().contains("/shards/");
  }

  @ParameterizedTest
  @CsvSource({
    "WEBDATASET, PUT,  NONE",
    "PARQUET,    PUT,  NONE",
    "WEBDATASET, PUT,  SLOW_DOWN",
    "WEBDATASET, PUT,  DROPPED_BEFORE",
    "WEBDATASET, PUT,  DROPPED_AFTER",
    "WEBDATASET, POST, SLOW_DOWN",
    "PARQUET,    PUT,  DROPPED_AFTER",
    "WEBDATASET, POST, SLOW",
  })
  void aShardIsUploadedInPartsAndIsCompleteDespiteFailures(
      ShardFormat format, String method, Fault fault) throws Exception {
    AtomicInteger calls = new AtomicInteger();
    link.failing(
        call ->
            ofAShard(call) && call.method().equals(method) && calls.getAndIncrement() == 1
                ? fault
                : Fault.NONE);

    PackedShard shard = pack(format);

    assertThat(calls).hasValueGreaterThan(1);
    assertThat(s3.object(root + "/" + shard.key())).hasSize((int) shard.bytes());
    for (ShardImage image : images) {
      assertThat(
              new PlacedImages(store)
                  .read(
                      new ImagePlace(
                          shard.key(),
                          Optional.of(image.member()),
                          Optional.ofNullable(shard.offsets().get(image.member())),
                          BYTES)))
          .hasValueSatisfying(
              bytes -> assertThat(bytes).isEqualTo(TestStagedImages.random(BYTES, image.member())));
    }
    assertThat(s3.pendingUploads()).doesNotContain("<Upload>");
  }

  @Test
  void anUploadWhoseResponseWasLostIsRecognized() throws Exception {
    AtomicInteger completions = new AtomicInteger();
    link.failing(
        call ->
            ofAShard(call)
                    && call.method().equals("POST")
                    && call.target().contains("uploadId")
                    && completions.getAndIncrement() == 0
                ? Fault.DROPPED_AFTER
                : Fault.NONE);

    PackedShard shard = pack(ShardFormat.WEBDATASET);

    assertThat(completions).hasPositiveValue();
    assertThat(s3.object(root + "/" + shard.key())).hasSize((int) shard.bytes());
    assertThat(pack(ShardFormat.WEBDATASET)).isEqualTo(shard);
  }

  @Test
  void aShardThatCannotBeStoredLeavesNothing() throws Exception {
    Predicate<Call> secondPart = call -> call.target().contains("partNumber=2");
    link.failing(call -> ofAShard(call) && secondPart.test(call) ? Fault.DENIED : Fault.NONE);

    assertNothingIsLeft("shards/part");
    assertThat(link.calls().stream().filter(secondPart)).isNotEmpty();
  }

  @Test
  void aShardWithAMissingImageLeavesNothing() throws Exception {
    store.delete(images.get(5).staged());

    assertNothingIsLeft(images.get(5).staged());
    assertThat(link.changes()).anyMatch(call -> call.contains("partNumber=1"));
  }

  private void assertNothingIsLeft(String named) throws Exception {
    assertThatThrownBy(() -> pack(ShardFormat.WEBDATASET))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED))
        .hasMessageContaining(named);
    assertThat(s3.keys(root + "/shards/")).isEmpty();
    assertThat(s3.pendingUploads()).doesNotContain("<Upload>");
  }

  @Test
  void manyObjectsAreRemovedByOneCall() throws Exception {
    int before = link.changes().size();

    store.removal().objects(images.stream().map(ShardImage::staged).toList());

    assertThat(s3.keys(root + "/staged/")).isEmpty();
    assertThat(link.changes().size() - before).isEqualTo(1);
  }
}
