package io.lightmill.udfs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The functions of {@link LightmillExtensions}, with the checkpoint that ships. */
class SqlFunctionsTest {

  private static final Pattern STATEMENT =
      Pattern.compile("\\.sql\\(\\s*\"\"\"(.*?)\"\"\"", Pattern.DOTALL);

  private static SparkSession spark;

  @TempDir Path directory;

  /** A second session in this JVM, which has the functions. */
  @BeforeAll
  static void startSession() {
    SparkSession plain = TestSpark.session();
    SparkSession.clearActiveSession();
    SparkSession.clearDefaultSession();
    spark = SparkSession.builder().withExtensions(new LightmillExtensions()).getOrCreate();
    assertThat(spark).isNotSameAs(plain);
    spark
        .range(0, 3, 1, 2)
        .selectExpr("string(id) AS id", "'a red mug' AS prompt", "2 * id AS stock")
        .createOrReplaceTempView("prompts");
  }

  @AfterAll
  static void leaveTheOtherSession() {
    SparkSession.clearActiveSession();
    SparkSession.setDefaultSession(TestSpark.session());
  }

  @SuppressWarnings("AnnotateFormatMethod") // its annotation is in no library of the tests
  private static Dataset<Row> sql(String query, Object... values) {
    return spark.sql(query.formatted(values));
  }

  @Test
  void withAnOutputTheTableFunctionIsARunThatIsExecutedOnce() {
    String output = directory.resolve("out").toString();
    Dataset<Row> rows =
        sql(
            "SELECT id, stock, status, num_inference_steps FROM generate_images(TABLE(prompts),"
                + " output => '%s', num_inference_steps => 1, seed => 5, column => map('id', 'id'))"
                + " ORDER BY id",
            output);
    rows.explain();
    assertThat(directory.resolve("out")).doesNotExist();

    assertThat(rows.collectAsList())
        .hasToString("[[0,0,generated,1], [1,2,generated,1], [2,4,generated,1]]");
    assertThat(rows.collectAsList())
        .hasToString("[[0,0,generated,1], [1,2,generated,1], [2,4,generated,1]]");
    assertThat(spark.read().format("lightmill").load(output).count()).isEqualTo(3);
    assertThat(spark.read().format("lightmill").option("all-runs", true).load(output).count())
        .isEqualTo(3);
  }

  @Test
  void withoutAnOutputTheTableFunctionReturnsTheImages() {
    List<Row> rows =
        sql("SELECT * FROM generate_images(TABLE(SELECT id, IF(id = '1', '', prompt) AS prompt"
                + " FROM prompts), num_inference_steps => 1) ORDER BY id")
            .collectAsList();

    assertThat(rows).hasSize(3);
    assertThat(rows.get(1).<String>getAs("status")).isEqualTo("invalid");
    assertThat(rows.get(1).<byte[]>getAs("image")).isNull();
    for (Row row : List.of(rows.get(0), rows.get(2))) {
      assertThat(row.<String>getAs("status")).isEqualTo("generated");
      assertThat(row.<String>getAs("path")).isNull();
      assertThat(row.<String>getAs("run_id")).isNull();
      byte[] image = row.getAs("image");
      assertThat(row.<Long>getAs("bytes")).isEqualTo(image.length);
      assertThat(ImageReceiptReader.identity(image).orElseThrow()).contains("\"a red mug\"");
    }
  }

  @Test
  void bothWaysGiveTheSameImages() {
    String options = "num_inference_steps => 1";
    String table = "SELECT prompt FROM prompts WHERE id = '0'";
    String unstored =
        sql("SELECT sha2(image, 256) FROM generate_images(TABLE(%s), %s)", table, options)
            .first()
            .getString(0);
    String stored =
        sql(
                "SELECT sha256 FROM generate_images(TABLE(%s), %s, output => '%s')",
                table, options, directory.resolve("out"))
            .first()
            .getString(0);
    String scalar =
        sql(
                "SELECT sha2(generate_image(prompt, map('num_inference_steps', '1')), 256) FROM"
                    + " (%s)",
                table)
            .first()
            .getString(0);

    assertThat(unstored).isEqualTo(stored);
    assertThat(scalar).isEqualTo(stored);
  }

  @Test
  void theScalarFunctionDrawsOncePerRowAndPassesNullOn() {
    Row row =
        sql("SELECT image, length(image), sha2(image, 256) FROM (SELECT generate_image(prompt,"
                + " map('num_inference_steps', 1)) AS image FROM prompts WHERE id = '0')")
            .first();
    assertThat(row.getInt(1)).isEqualTo(row.<byte[]>getAs(0).length);

    assertThat(
            sql("SELECT generate_image(IF(id < 9, NULL, prompt)) AS i FROM prompts")
                .first()
                .isNullAt(0))
        .isTrue();
  }

  @Test
  void tablesThatAreTooLargeOrHaveAnIdTwiceAreRefused() {
    assertThatThrownBy(
            () ->
                sql("SELECT id FROM generate_images(TABLE(SELECT string(id) AS id, 'a' AS prompt"
                        + " FROM range(1001)))")
                    .collectAsList())
        .hasStackTraceContaining("requests more than 1000 images; give an output");
    assertThatThrownBy(
            () ->
                sql("SELECT id FROM generate_images(TABLE(SELECT '7' AS id, prompt FROM prompts))")
                    .collectAsList())
        .hasStackTraceContaining("two rows have the id '7'");
  }

  @Test
  void wrongArgumentsAreRefusedWhenTheQueryIsAnalysed() {
    assertRefused(
        "generate_images(TABLE(prompts), 8)", "argument '8' of generate_images has no name");
    assertRefused("generate_images(num_inference_steps => 8)", "generate_images lacks its table");
    assertRefused("generate_images(TABLE(prompts), stepz => 8)", "there is no option 'stepz'");
    assertRefused(
        "generate_images(TABLE(prompts), run_id => 'a')", "option 'run-id' needs an output");
    assertRefused("generate_images(TABLE(SELECT 1 AS x))", "prompt");
    assertThatThrownBy(() -> sql("SELECT generate_image(1)"))
        .hasMessageContaining("generate_image takes a prompt");
    assertThatThrownBy(() -> sql("SELECT generate_image('a mug', map('stepz', 1))"))
        .hasMessageContaining("there is no option 'stepz'");
    assertThatThrownBy(
            () ->
                sql("SELECT generate_image(prompt) FROM (SELECT '' AS prompt FROM prompts)")
                    .collectAsList())
        .hasStackTraceContaining("cannot be drawn");
  }

  @Test
  void theStatementsOfTheNotebooksRun() throws IOException {
    int statements = 0;
    for (String notebook : List.of("notebook.ipynb", "notebook.scala")) {
      Matcher found = STATEMENT.matcher(text(Path.of("conf/examples").resolve(notebook)));
      while (found.find()) {
        String cheap = found.group(1).replaceAll("(num_inference_steps\\W+)4", "$11");
        assertThat(spark.sql(cheap).collectAsList()).isNotEmpty();
        statements++;
      }
    }
    assertThat(statements).isEqualTo(3);
  }

  /** Of a notebook, the sources of its cells. */
  private static String text(Path file) throws IOException {
    StringBuilder text = new StringBuilder();
    if (!file.toString().endsWith(".ipynb")) {
      return Files.readString(file);
    }
    for (JsonNode cell : new ObjectMapper().readTree(file.toFile()).path("cells")) {
      if (cell.path("source").isTextual()) {
        text.append(cell.path("source").asText());
      }
      cell.path("source").forEach(line -> text.append(line.asText()));
    }
    return text.toString();
  }

  private static void assertRefused(String call, String message) {
    assertThatThrownBy(() -> sql("SELECT * FROM " + call)).hasMessageContaining(message);
  }
}
