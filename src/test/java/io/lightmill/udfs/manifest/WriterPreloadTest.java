package io.lightmill.udfs.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WriterPreloadTest {

  @Test
  void aRowOfAManifestIsWritten(@TempDir Path directory) throws IOException {
    SparkSession spark = TestSpark.session();
    Path file = directory.resolve("row.parquet");
    Files.write(
        file, WriterPreload.write(ManifestFormat.settings(spark, Manifest.COLUMNS, Map.of())));
    Row row = Manifest.read(spark, file.toString(), Manifest.COLUMNS).collectAsList().get(0);
    assertThat(ManifestColumns.IMAGE_ID.<String>of(row)).isEqualTo("text");
    assertThat(ManifestColumns.PATH.<String>of(row)).isEqualTo("text");
  }
}
