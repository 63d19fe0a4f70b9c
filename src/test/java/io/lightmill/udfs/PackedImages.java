package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.shard.ImagePlace;
import io.lightmill.udfs.shard.PlacedImages;
import io.lightmill.udfs.store.ImageStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
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
  void assertThere(RunResult result) throws IOException {
    List<Row> rows = result.manifest().filter("path is not null").collectAsList();
    Map<String, Map<String, byte[]>> shards = shards(rows);
    for (Row row : rows) {
      Optional<String> member = Optional.ofNullable(row.getAs("member"));
      Optional<Long> offset = Optional.ofNullable(row.getAs("member_offset"));
      String path = row.getAs("path");
      assertThat(
              new PlacedImages(store)
                  .read(new ImagePlace(path, member, offset, row.<Long>getAs("bytes"))))
          .map(DigestUtils::sha256Hex)
          .as("%s of %s", member, path)
          .hasValue(row.getAs("sha256"));
      if (member.isPresent()) {
        byte[] image = shards.get(path).get(member.get());
        assertThat(DigestUtils.sha256Hex(image)).isEqualTo(row.getAs("sha256"));
        byte[] shard = store.read(path).orElseThrow();
        assertThat(row.<Long>getAs("shard_bytes")).isEqualTo(shard.length);
        assertThat(offset.isPresent()).isEqualTo(path.endsWith(".tar"));
        offset.ifPresent(
            first ->
                assertThat(
                        Arrays.copyOfRange(
                            shard, first.intValue(), first.intValue() + image.length))
                    .isEqualTo(image));
      }
    }
  }

  /** Members by shard, as a tar reader and Spark find them. */
  private Map<String, Map<String, byte[]>> shards(List<Row> rows) throws IOException {
    Map<String, Map<String, byte[]>> shards = new HashMap<>();
    List<String> parquet = new ArrayList<>();
    for (Row row : rows) {
      String path = row.getAs("path");
      if (path.endsWith(".tar") && !shards.containsKey(path)) {
        shards.put(path, files(store.read(path).orElseThrow()));
      } else if (path.endsWith(".parquet") && !parquet.contains(path)) {
        parquet.add(path);
      }
    }
    if (!parquet.isEmpty()) {
      TestSpark.session()
          .read()
          .parquet(parquet.stream().map(path -> output + "/" + path).toArray(String[]::new))
          .selectExpr("_metadata.file_path", "image.path", "image.bytes")
          .collectAsList()
          .forEach(
              row ->
                  shards
                      .computeIfAbsent(
                          row.getString(0)
                              .replaceFirst(".*/shards/", "shards/")
                              .replace("%3D", "="),
                          shard -> new HashMap<>())
                      .put(row.getString(1), row.getAs(2)));
    }
    return shards;
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
  void assertNothingElse(RunResult... results) {
    List<String> named =
        Arrays.stream(results)
            .flatMap(
                result -> result.manifest().filter("member is not null").collectAsList().stream())
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
