package io.lightmill.udfs.history;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestJob;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.shard.ShardFormat;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.FileMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What readers without Lightmill find in an output of three runs, one for each sink. */
class ReadableOutputTest {

  /** Which no test changes. */
  @TempDir static Path directory;

  private static Path output;

  @BeforeAll
  static void runThreeTimes() throws IOException {
    output = directory.resolve("out with a blank");
    run("files", "007,a mug,19.90,5,1.0e3,x", "008,a jug,5,,2,", "009,,7.5,6,3,");
    run("tar", ShardFormat.WEBDATASET, "008,a blue jug,6,4,4,", "010,a cup,3,3,5,");
    run("parquet", ShardFormat.PARQUET, "011,a pot,4.25,9,6,");
  }

  private static TestJob job(String runId, String... rows) throws IOException {
    List<String> lines =
        Stream.concat(Stream.of("sku,caption,price,stock,code,note"), Stream.of(rows)).toList();
    return new TestJob(Files.write(directory.resolve(runId + ".csv"), lines), output)
        .option(Options.COLUMN, Map.of("id", "sku", "prompt", "caption"))
        .partitions(2)
        .runId(runId);
  }

  private static void run(String runId, String... rows) throws IOException {
    job(runId, rows).run(new SolidColorPipeline());
  }

  private static void run(String runId, ShardFormat format, String... rows) throws IOException {
    job(runId, rows).packed(format, 10).run(new SolidColorPipeline());
  }

  private static Dataset<Row> plain(String key) {
    return TestSpark.session().read().parquet(output.resolve(key).toString());
  }

  private static FileMetaData footer(Path file) throws IOException {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(file.toUri());
    try (ParquetFileReader reader =
        ParquetFileReader.open(HadoopInputFile.fromPath(path, new Configuration(false)))) {
      return reader.getFileMetaData();
    }
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  @Test
  void theDirectoryOfManifestsHasOneFileForEachRunAndNothingElse() throws IOException {
    assertThat(files(output.resolve("manifest")))
        .extracting(file -> file.getFileName().toString())
        .containsExactly("files.parquet", "parquet.parquet", "tar.parquet");
    assertThat(files(output))
        .extracting(file -> file.getFileName().toString())
        .noneMatch(name -> name.startsWith("."));
    assertThat(plain("manifest").groupBy("run_id").count().orderBy("run_id").collectAsList())
        .hasToString("[[files,3], [parquet,1], [tar,2]]");
  }

  @Test
  void footersNameTheTypesThatReadersKnow() throws IOException {
    for (String key :
        List.of("manifest/files.parquet", "manifest/tar.parquet", "current.parquet")) {
      FileMetaData footer = footer(output.resolve(key));
      assertThat(footer.getSchema().getColumns())
          .as(key)
          .noneMatch(
              column ->
                  column.getPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.INT96);
      PrimitiveType created = footer.getSchema().getType("created_at").asPrimitiveType();
      assertThat(created.getPrimitiveTypeName()).isEqualTo(PrimitiveTypeName.INT64);
      assertThat(created.getLogicalTypeAnnotation())
          .isEqualTo(LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS));

      JsonNode pandas = new ObjectMapper().readTree(footer.getKeyValueMetaData().get("pandas"));
      Map<String, String> types = new HashMap<>();
      pandas
          .path("columns")
          .forEach(it -> types.put(it.path("name").asText(), it.path("numpy_type").asText()));
      assertThat(types)
          .containsEntry("member_offset", "Int64")
          .containsEntry("bytes", "Int64")
          .containsEntry("variant", "Int32")
          .containsEntry("stock", "Int64")
          .containsEntry("blank", "boolean")
          .doesNotContainKeys("created_at", "id", "sku");
    }
  }

  @Test
  void numbersOfACsvAreNumbersAndAllOtherTextIsKept() {
    assertThat(
            plain("manifest/files.parquet")
                .select("sku", "caption", "price", "stock", "code", "note")
                .schema()
                .toDDL())
        .isEqualTo("sku STRING,caption STRING,price DOUBLE,stock BIGINT,code STRING,note STRING");
    assertThat(
            plain("manifest/files.parquet")
                .orderBy("sku")
                .select("id", "sku", "prompt", "caption", "price", "stock", "code", "note")
                .collectAsList())
        .hasToString(
            "[[007,007,a mug,a mug,19.9,5,1.0e3,x], [008,008,a jug,a jug,5.0,null,2,null],"
                + " [009,009,null,null,7.5,6,3,null]]");
    assertThat(plain("manifest").select("price").as(Encoders.DOUBLE()).collectAsList())
        .containsExactlyInAnyOrder(19.9, 5.0, 7.5, 6.0, 3.0, 4.25);
    assertThat(plain("manifest/tar.parquet").select("price", "code", "note").schema().toDDL())
        .isEqualTo("price DOUBLE,code STRING,note STRING"); // as before, though all are whole
  }

  @Test
  void aUriNamesTheObjectOfEachImage() {
    List<Row> rows = plain("current.parquet").select("path", "path_uri").collectAsList();

    assertThat(rows).filteredOn(row -> row.isNullAt(0)).hasSize(1);
    for (Row row : rows) {
      if (row.isNullAt(0)) {
        assertThat(row.isNullAt(1)).isTrue();
      } else {
        assertThat(row.getString(1)).startsWith("file:///").contains("out%20with%20a%20blank/");
        assertThat(Path.of(URI.create(row.getString(1))))
            .exists()
            .isEqualTo(output.resolve(row.getString(0)));
      }
    }
  }

  @Test
  void theCurrentStateIsWhatLightmillReadsAndWhatTheNewestRowsAre() {
    Dataset<Row> current = plain("current.parquet");
    Dataset<Row> read = TestSpark.session().read().format("lightmill").load(output.toString());

    assertThat(current.schema().toDDL()).isEqualTo(read.schema().toDDL());
    assertThat(current.collectAsList())
        .isEqualTo(read.orderBy("id", "variant").collectAsList())
        .extracting(row -> row.<String>getAs("id") + " " + row.<String>getAs("run_id"))
        .containsExactly("007 files", "008 tar", "009 files", "010 tar", "011 parquet");
    assertThat(current.select("price", "code").schema().toDDL())
        .isEqualTo("price DOUBLE,code STRING");

    plain("manifest/*.parquet").createOrReplaceTempView("manifest");
    assertThat(
            TestSpark.session()
                .sql(
                    "SELECT * FROM (SELECT id, run_id, row_number() OVER (PARTITION BY id, variant"
                        + " ORDER BY created_at DESC) AS age FROM manifest) WHERE age = 1")
                .orderBy("id")
                .selectExpr("id || ' ' || run_id")
                .collectAsList())
        .hasToString("[[007 files], [008 tar], [009 files], [010 tar], [011 parquet]]");
  }
}
