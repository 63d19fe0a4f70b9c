package io.lightmill.udfs.shard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.ImageStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.io.output.CountingOutputStream;
import org.apache.commons.io.output.NullOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ShardPackerTest {

  private static final String PREFIX = "shards/run_id=first/part-00000-0000";
  private static final int MEBIBYTE = 1 << 20;

  @TempDir Path directory;
  private ImageStore store;

  @BeforeEach
  void open() {
    store = ImageStore.open(directory.toString(), new Configuration(false));
  }

  @ParameterizedTest
  @EnumSource
  void everyImageIsReadBack(ShardFormat format) {
    List<ShardImage> images = TestStagedImages.of(store, 5000, "b/ö.png", "b/a.png", "a.jpg");

    PackedShard shard = new ShardPacker(store, format).pack(PREFIX, images);

    assertThat(shard.key()).matches(PREFIX + "-[0-9a-f]{16}\\." + format.extension());
    assertThat(directory.resolve(shard.key())).hasSize(shard.bytes());
    for (ShardImage image : images) {
      assertThat(new PlacedImages(store).read(place(shard, image.member())))
          .hasValueSatisfying(
              bytes -> assertThat(bytes).isEqualTo(TestStagedImages.random(5000, image.member())));
    }
  }

  @Test
  void aSampleHasAdjacentImageTextAndJson() throws IOException {
    List<ShardImage> images = TestStagedImages.of(store, 700, "b/ö.png", "a.jpg");

    PackedShard shard = new ShardPacker(store, ShardFormat.WEBDATASET).pack(PREFIX, images);

    Map<String, byte[]> files = new LinkedHashMap<>();
    byte[] tar = Files.readAllBytes(directory.resolve(shard.key()));
    try (TarArchiveInputStream in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        files.put(entry.getName(), in.readAllBytes());
        assertThat(entry.getLastModifiedTime().toMillis()).isZero();
        assertThat(entry)
            .extracting(
                TarArchiveEntry::getLongUserId,
                TarArchiveEntry::getLongGroupId,
                TarArchiveEntry::getUserName,
                TarArchiveEntry::getGroupName)
            .containsExactly(0L, 0L, "", "");
      }
    }
    assertThat(files.keySet())
        .containsExactly("a.json", "a.jpg", "a.txt", "b/ö.json", "b/ö.png", "b/ö.txt");
    assertThat(files.get("b/ö.png")).isEqualTo(TestStagedImages.random(700, "b/ö.png"));
    assertThat(files.get("a.txt")).asString(UTF_8).isEqualTo("ein Krug für a.jpg");
    assertThat(files.get("a.json")).asString(UTF_8).isEqualTo("{\"id\":\"row of a.jpg\"}");
    int offset = shard.offsets().get("a.jpg").intValue();
    assertThat(Arrays.copyOfRange(tar, offset, offset + 700)).isEqualTo(files.get("a.jpg"));
  }

  @ParameterizedTest
  @EnumSource
  void packingTheSameImagesAgainWritesTheSameObject(ShardFormat format) throws IOException {
    List<ShardImage> images = TestStagedImages.of(store, 900, "a.png", "b.png");
    ShardPacker packer = new ShardPacker(store, format);
    PackedShard first = packer.pack(PREFIX, images);
    byte[] bytes = Files.readAllBytes(directory.resolve(first.key()));

    assertThat(packer.pack(PREFIX, List.of(images.get(1), images.get(0)))).isEqualTo(first);
    Files.delete(directory.resolve(first.key()));
    assertThat(packer.pack(PREFIX, images)).isEqualTo(first);
    assertThat(directory.resolve(first.key())).hasBinaryContent(bytes);
    assertThat(packer.pack(PREFIX, images.subList(0, 1)).key()).isNotEqualTo(first.key());
  }

  @ParameterizedTest
  @EnumSource
  void anIncompleteShardLeavesNothing(ShardFormat format) throws IOException {
    List<ShardImage> images = TestStagedImages.of(store, MEBIBYTE, "a.png", "b.png", "c.png");
    store.put(images.get(2).staged(), new byte[] {1}, "image/png");

    assertThatThrownBy(() -> new ShardPacker(store, format).pack(PREFIX, images))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED))
        .hasMessageContaining(images.get(2).staged());
    try (Stream<Path> files = Files.walk(directory.resolve("shards"))) {
      assertThat(files.filter(Files::isRegularFile)).isEmpty();
    }
  }

  @Test
  void anotherObjectOfTheSameNameIsRefused() {
    List<ShardImage> images = TestStagedImages.of(store, 900, "a.png");
    ShardPacker packer = new ShardPacker(store, ShardFormat.WEBDATASET);
    String key = packer.pack(PREFIX, images).key();
    store.put(key, new byte[] {1}, "application/x-tar");

    assertThatThrownBy(() -> packer.pack(PREFIX, images))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED))
        .hasMessageContaining(key);
  }

  @ParameterizedTest
  @EnumSource
  void fewImagesAreInMemoryWhateverTheSizeOfTheShard(ShardFormat format) throws IOException {
    CountingOutputStream out = new CountingOutputStream(NullOutputStream.INSTANCE);
    List<Long> held = new ArrayList<>();
    try (ShardWriter writer = format.writer(out)) {
      for (int i = 0; i < 100; i++) {
        byte[] image = TestStagedImages.random(MEBIBYTE, "image " + i);
        writer.add(TestStagedImages.image("staged", i + ".png", "id", image), image);
        held.add((i + 1L) * MEBIBYTE - out.getByteCount());
      }
    }
    assertThat(held).allMatch(bytes -> bytes <= 18L * MEBIBYTE);
  }

  @Test
  void parquetMetadataMarksTheStructAsAnImage() throws IOException {
    List<ShardImage> images = TestStagedImages.of(store, MEBIBYTE, names(40));
    String key = new ShardPacker(store, ShardFormat.PARQUET).pack(PREFIX, images).key();

    ParquetMetadata footer = footer(key);

    assertThat(footer.getFileMetaData().getKeyValueMetaData().get("huggingface"))
        .contains("\"image\": {\"_type\": \"Image\"}");
    assertThat(footer.getBlocks())
        .hasSizeGreaterThan(1)
        .extracting(BlockMetaData::getTotalByteSize)
        .allMatch(bytes -> bytes <= 18L * MEBIBYTE);
    assertThat(footer.getFileMetaData().getSchema().getPaths())
        .extracting(path -> String.join(".", path))
        .containsExactly(
            "image.bytes",
            "image.path",
            "id",
            "variant",
            "image_id",
            "prompt",
            "width",
            "height",
            "seed",
            "metadata");
  }

  private ParquetMetadata footer(String key) throws IOException {
    try (ParquetFileReader reader =
        new ParquetFileReader(
            new OpenParquetFile(store.open(key).orElseThrow()),
            ParquetReadOptions.builder(new PlainParquetConfiguration()).build())) {
      return reader.getFooter();
    }
  }

  private static String[] names(int count) {
    return IntStream.range(0, count).mapToObj("%02d.png"::formatted).toArray(String[]::new);
  }

  @Test
  void keysOfSamplesHaveNoDotsAndFitInATarHeader() {
    String longName = "ö".repeat(60);

    assertThat(ShardFormat.WEBDATASET.named("a.b/c.1.png")).isEqualTo("a_b/c_1.png");
    assertThat(ShardFormat.WEBDATASET.named(longName + ".jpg"))
        .matches("ö{43}-[0-9a-f]{8}\\.jpg")
        .isNotEqualTo(ShardFormat.WEBDATASET.named(longName + "ö.jpg"));
    assertThat(ShardFormat.PARQUET.named("a.b/c.1.png")).isEqualTo("a.b/c.1.png");
  }

  @Test
  void aMissingImageIsEmpty() {
    List<ShardImage> images = TestStagedImages.of(store, 900, "a.png");
    PackedShard shard = new ShardPacker(store, ShardFormat.PARQUET).pack(PREFIX, images);
    PlacedImages placed = new PlacedImages(store);

    assertThat(placed.read(place(shard, "b.png"))).isEmpty();
    store.delete(shard.key());
    assertThat(placed.read(place(shard, "a.png"))).isEmpty();
  }

  @Test
  void theIndexHasTheFormatOfWids() {
    ShardIndex index =
        ShardIndex.of(
            "first",
            List.of(new ShardIndex.Shard("b.tar", 2, 20), new ShardIndex.Shard("a.tar", 1, 10)));

    assertThat(new String(index.json(), UTF_8).replaceAll("\\s", ""))
        .isEqualTo(
            "{\"__kind__\":\"wids-shard-index-v1\",\"wids_version\":1,\"name\":\"first\","
                + "\"shardlist\":[{\"url\":\"a.tar\",\"nsamples\":1,\"filesize\":10},"
                + "{\"url\":\"b.tar\",\"nsamples\":2,\"filesize\":20}]}");
    assertThat(index.shards())
        .extracting(ShardIndex.Shard::url, ShardIndex.Shard::samples)
        .containsExactly(tuple("a.tar", 1L), tuple("b.tar", 2L));
  }

  private static ImagePlace place(PackedShard shard, String member) {
    return new ImagePlace(
        shard.key(),
        Optional.of(member),
        Optional.ofNullable(shard.offsets().get(member)),
        TestStagedImages.random(5000, member).length);
  }
}
