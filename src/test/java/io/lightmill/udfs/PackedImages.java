package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.shard.ImagePlace;
import io.lightmill.pipeline.shard.PlacedImages;
import io.lightmill.pipeline.store.ImageStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.spark.sql.Row;

/**
 * Holds the rows of a manifest against what stands below its output: by Lightmill's own reader, and
 * by those that others would use.
 */
record PackedImages(ImageStore store, String output) {

  /** Every row that has an image finds it, by every way, with the hash that it says. */
  void assertThere(ImageGeneration.Result result) throws IOException {
    for (Row row : result.manifest().filter("path is not null").collectAsList()) {
      String sha256 = row.getAs("sha256");
      Optional<String> member = Optional.ofNullable(row.getAs("member"));
      assertThat(
              new PlacedImages(store)
                  .read(
                      new ImagePlace(
                          row.getAs("path"),
                          member,
                          Optional.ofNullable(row.getAs("member_offset")),
                          row.<Long>getAs("bytes"))))
          .map(DigestUtils::sha256Hex)
          .as("%s of %s", member, row.getAs("path"))
          .hasValue(sha256);
      if (member.isPresent()) {
        byte[] shard = store.read(row.getAs("path")).orElseThrow();
        assertThat(row.<Long>getAs("shard_bytes")).isEqualTo(shard.length);
        byte[] image = row.<String>getAs("path").endsWith(".tar") ? ofTar(row, shard) : ofRow(row);
        assertThat(DigestUtils.sha256Hex(image)).isEqualTo(sha256);
      }
    }
  }

  private static byte[] ofTar(Row row, byte[] shard) throws IOException {
    byte[] image = files(shard).get(row.<String>getAs("member"));
    int offset = row.<Long>getAs("member_offset").intValue();
    assertThat(Arrays.copyOfRange(shard, offset, offset + image.length)).isEqualTo(image);
    return image;
  }

  private byte[] ofRow(Row row) {
    assertThat(row.<Long>getAs("member_offset")).isNull();
    List<Row> images =
        TestSpark.session()
            .read()
            .parquet(output + "/" + row.getAs("path"))
            .filter("image.path = '%s'".formatted(row.<String>getAs("member")))
            .select("image.bytes", "image_id", "prompt")
            .collectAsList();
    assertThat(images).hasSize(1);
    assertThat(images.get(0).getString(1)).isEqualTo(row.getAs("image_id"));
    assertThat(images.get(0).getString(2)).isEqualTo(row.getAs("prompt"));
    return images.get(0).getAs(0);
  }

  /** The files of a tar, by name. */
  static Map<String, byte[]> files(byte[] tar) throws IOException {
    Map<String, byte[]> files = new HashMap<>();
    try (TarArchiveInputStream in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        assertThat(files.put(entry.getName(), in.readAllBytes())).isNull();
      }
    }
    return files;
  }

  /** Nothing stands in shards or waits for them but what the manifests of these runs name. */
  void assertNothingElse(ImageGeneration.Result... results) {
    List<String> named =
        Arrays.stream(results)
            .flatMap(result -> result.manifest().filter("member is not null").collectAsList().stream())
            .map(row -> row.<String>getAs("path"))
            .distinct()
            .sorted()
            .toList();
    assertThat(store.listing().objects("shards"))
        .extracting(object -> object.key())
        .filteredOn(key -> !key.endsWith("/index.json"))
        .containsExactlyInAnyOrderElementsOf(named);
    assertThat(store.listing().temporaries("shards")).isEmpty();
    assertThat(store.listing().children("staged")).isEmpty();
  }
}
