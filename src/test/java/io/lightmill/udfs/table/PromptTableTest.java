package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.TestSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptTableTest {

  @TempDir Path directory;

  private final SparkSession spark = TestSpark.session();

  private Path file(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private static PromptInput table(String location, String format, int limit) {
    return new PromptInput(
        Optional.empty(),
        location,
        Optional.ofNullable(format),
        Map.of(),
        Optional.empty(),
        limit > 0 ? OptionalInt.of(limit) : OptionalInt.empty());
  }

  private Dataset<Row> read(Path location) {
    return PromptTable.read(spark, table(location.toString(), null, 0)).rows();
  }

  private static List<String> column(Dataset<Row> rows, String name) {
    return rows.orderBy(name).collectAsList().stream().map(r -> r.<String>getAs(name)).toList();
  }

  private static void assertRefused(Runnable reading, ErrorCode code, String... said) {
    assertThatThrownBy(reading::run)
        .isInstanceOfSatisfying(LightmillException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContainingAll(said);
  }

  @Test
  void aFileThatIsCutOffIsRefused() throws IOException {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(whole)) {
      out.write("id,prompt\n1,a mug\n".getBytes(StandardCharsets.UTF_8));
    }
    Path file = directory.resolve("p.csv.gz");
    Files.write(file, Arrays.copyOf(whole.toByteArray(), whole.size() / 2));
    assertRefused(
        () -> read(file),
        ErrorCode.INPUT_INVALID,
        "p.csv.gz' cannot be read: ",
        "check that the file is complete");
  }

  @Test
  void compressedFilesAreToldByTheNameBelowTheCompression() throws IOException {
    Path file = directory.resolve("p.jsonl.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("{\"prompt\":\"a mug\"}\n".getBytes(StandardCharsets.UTF_8));
    }

    assertThat(column(read(file), "prompt")).containsExactly("a mug");
  }

  @Test
  void directoryOfParquetIsRecognizedByItsFiles() {
    String path = directory.resolve("prompts").toString();
    spark.range(3).selectExpr("id", "concat('p', id) as prompt").write().parquet(path);

    Dataset<Row> rows = read(Path.of(path));

    assertThat(rows.schema().apply("id").dataType()).isEqualTo(DataTypes.LongType);
    assertThat(column(rows, "prompt")).containsExactly("p0", "p1", "p2");
  }

  @Test
  void globsNameSeveralFiles() throws IOException {
    file("a1.csv", "prompt\nx\n");
    file("a2.csv", "prompt\ny\n");
    file("b.csv", "prompt\nz\n");

    assertThat(column(read(directory.resolve("a*.csv")), "prompt")).containsExactly("x", "y");
  }

  @Test
  void sparkTablesAndViewsAreReadByName() {
    spark
        .createDataFrame(
            List.of(RowFactory.create("a mug")),
            DataTypes.createStructType(
                List.of(DataTypes.createStructField("prompt", DataTypes.StringType, true))))
        .createOrReplaceTempView("prompt_table_test");

    Dataset<Row> rows = PromptTable.read(spark, table("prompt_table_test", null, 0)).rows();

    assertThat(column(rows, "prompt")).containsExactly("a mug");
  }

  @Test
  void givenFormatOverridesTheName() throws IOException {
    Path file = file("prompts.txt", "prompt\na mug\n");

    Dataset<Row> rows = PromptTable.read(spark, table(file.toString(), "csv", 0)).rows();

    assertThat(column(rows, "prompt")).containsExactly("a mug");
  }

  @Test
  void limitTakesTheFirstRows() throws IOException {
    Path file = file("p.csv", "prompt\na\nb\nc\n");

    Dataset<Row> rows = PromptTable.read(spark, table(file.toString(), null, 2)).rows();

    assertThat(column(rows, "prompt")).containsExactly("a", "b");
  }

  @Test
  void missingTablesAreRefusedByName() {
    String missing = directory.resolve("nowhere.csv").toString();

    assertRefused(() -> read(Path.of(missing)), ErrorCode.INPUT_INVALID, missing, "does not exist");
    assertRefused(
        () -> PromptTable.read(spark, table("no_such_table", "table", 0)),
        ErrorCode.INPUT_INVALID,
        "'no_such_table' does not exist",
        "no Spark table");
    assertRefused(
        () -> PromptTable.read(spark, table(missing, "csv", 0)),
        ErrorCode.INPUT_INVALID,
        missing,
        "no file or directory");
  }

  @Test
  void unknownFormatsAreRefused() throws IOException {
    Path file = file("prompts.xlsx", "?");

    assertRefused(
        () -> read(file),
        ErrorCode.INPUT_INVALID,
        "prompts.xlsx",
        "save it in one of these formats");
    assertRefused(
        () -> PromptTable.read(spark, table(file.toString(), "excel", 0)),
        ErrorCode.CONFIGURATION_INVALID,
        "'excel' does not exist; choose csv, parquet, json, openai-batch, delta, iceberg or table");
  }

  @Test
  void directoryOfSeveralFormatsIsRefused() throws IOException {
    file("t/a.csv", "prompt\nx\n");
    file("t/b.jsonl", "{\"prompt\":\"y\"}\n");

    assertRefused(
        () -> read(directory.resolve("t")), ErrorCode.INPUT_INVALID, "several formats (csv, json)");
  }

  @Test
  void tableWithoutAnythingIsRefused() throws IOException {
    Path empty = file("empty.csv", "");
    Path broken = file("broken.jsonl", "no json\nat all\n");

    assertRefused(() -> read(empty), ErrorCode.INPUT_INVALID, "empty.csv", "is empty");
    assertRefused(
        () -> read(broken), ErrorCode.INPUT_INVALID, "broken.jsonl", "no line is a JSON object");
  }

  private static PromptInput dataFrame(Dataset<Row> rows, OptionalInt limit) {
    return new PromptInput(
        Optional.of(rows),
        PromptInput.DATA_FRAME,
        Optional.empty(),
        Map.of(),
        Optional.empty(),
        limit);
  }

  @Test
  void aDataFrameIsATableWithItsTypesAndCorruptRecords() throws IOException {
    Path file = file("p.jsonl", "{\"prompt\":\"a mug\",\"width\":512}\n{\"prompt\": broken\n");
    Dataset<Row> given = spark.read().json(file.toString()).withColumnRenamed("width", " width ");

    Dataset<Row> rows = PromptTable.read(spark, PromptInput.of(given)).rows();

    assertThat(rows.columns()).containsExactlyInAnyOrder(PromptTable.CORRUPT, "prompt", "width");
    assertThat(rows.schema().apply("width").dataType()).isEqualTo(DataTypes.LongType);
    assertThat(rows.collectAsList())
        .extracting(row -> row.<String>getAs(PromptTable.CORRUPT))
        .containsExactlyInAnyOrder(
            null,
            "the line does not fit the table's format: '{\"prompt\": broken'; enclose values that"
                + " hold commas, quotes or line ends in double quotes, and double the quotes"
                + " inside");
  }

  @Test
  void aDataFrameMayBeLimited() {
    Dataset<Row> given = spark.range(5).selectExpr("concat('p', id) as prompt").coalesce(1);

    assertThat(
            column(PromptTable.read(spark, dataFrame(given, OptionalInt.of(2))).rows(), "prompt"))
        .containsExactly("p0", "p1");
  }

  @Test
  void aDataFrameThatStreamsIsRefused() {
    Dataset<Row> stream = spark.readStream().format("rate").load();

    assertRefused(
        () -> PromptTable.read(spark, PromptInput.of(stream)),
        ErrorCode.INPUT_INVALID,
        "the prompt table is a streaming DataFrame",
        "give a batch DataFrame");
  }

  @Test
  void aDataFrameWithTwoColumnsOfOneNameIsRefused() {
    Dataset<Row> twice = spark.sql("select 'x' as prompt, 'y' as Prompt");

    assertRefused(
        () -> PromptTable.read(spark, PromptInput.of(twice)),
        ErrorCode.INPUT_INVALID,
        "'the DataFrame'",
        "two columns named");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select 'x' as prompt, 1 as ``",
        "select 1 as `\u200B `, 'x' as prompt, 2 as ``",
        "select 'x' as prompt, 1 as ` `, cast(null as string) as _corrupt_record"
      })
  void columnsWithoutANameAreLeftOutWithANotice(String query) {
    PromptTable table = PromptTable.read(spark, PromptInput.of(spark.sql(query)));

    assertThat(table.rows().columns()).startsWith("prompt").doesNotContain("", "_unnamed_1");
    assertThat(table.notices()).singleElement().asString().contains("without a name");
    assertThat(column(table.rows(), "prompt")).containsExactly("x");
  }
}
