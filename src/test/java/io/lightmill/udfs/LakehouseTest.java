package io.lightmill.udfs;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.delta.sql.DeltaSparkSessionExtension;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.LakeFormat;
import io.lightmill.udfs.option.LakehouseOptions;
import io.lightmill.udfs.run.ManifestMerge;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.table.PromptInput;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.TableVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.iceberg.spark.SparkCatalog;
import org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.delta.catalog.DeltaCatalog;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Delta and Iceberg tables as manifests and as prompt tables, with their own libraries. */
class LakehouseTest {

  @TempDir static Path directory;

  private static SparkSession spark;

  /** A session beside that of the other tests, with both formats. */
  @BeforeAll
  static void startSession() {
    SparkSession plain = TestSpark.session();
    SparkSession.clearActiveSession();
    SparkSession.clearDefaultSession();
    spark =
        SparkSession.builder()
            .withExtensions(new DeltaSparkSessionExtension())
            .withExtensions(new IcebergSparkSessionExtensions())
            .config("spark.sql.catalog.spark_catalog", DeltaCatalog.class.getName())
            .config("spark.sql.catalog.ice", SparkCatalog.class.getName())
            .config("spark.sql.catalog.ice.type", "hadoop")
            .config("spark.sql.catalog.ice.warehouse", directory.resolve("ice").toString())
            .config("spark.sql.catalog.default_iceberg", SparkCatalog.class.getName())
            .config("spark.sql.catalog.default_iceberg.type", "hadoop")
            .config("spark.sql.catalog.default_iceberg.warehouse", directory.toString())
            .config("spark.databricks.delta.snapshotPartitions", 1)
            .config("spark.databricks.delta.stats.collect", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.sql.catalog.gone", "org.example.iceberg.Gone")
            .getOrCreate();
    assertThat(spark).isNotSameAs(plain);
    spark.sql("CREATE NAMESPACE ice.db");
  }

  @AfterAll
  static void leaveTheOtherSession() {
    SparkSession.clearActiveSession();
    SparkSession.setDefaultSession(TestSpark.session());
  }

  private static TestJob job(String name, String runId, String... lines) throws IOException {
    Path table = Files.write(directory.resolve(name + "-" + runId + ".csv"), List.of(lines));
    return new TestJob(table, directory.resolve(name)).session(spark).runId(runId);
  }

  private static GenerationOptions merge(String name, String table) {
    return GenerationOptions.parse(
        Map.of("output", directory.resolve(name).toString(), "manifest-table", table));
  }

  private static String path(String name) {
    return "delta.`" + directory.resolve(name) + "`";
  }

  /** The rows of a table with the columns of the current state, which has all that there are. */
  private static void assertEqualsState(String table, String output) {
    Dataset<Row> state = spark.read().parquet(directory.resolve(output) + "/current.parquet");
    Dataset<Row> rows = spark.table(table);
    assertThat(rows.columns()).containsExactlyInAnyOrder(state.columns());
    Column[] columns =
        List.of(state.columns()).stream()
            .map(name -> col(QuotingUtils.quoteIdentifier(name)))
            .toArray(Column[]::new);
    Column[] order = {col("id"), col("variant"), col("error_message")};
    assertThat(rows.select(columns).orderBy(order).collectAsList())
        .isEqualTo(state.select(columns).orderBy(order).collectAsList());
  }

  @Test
  void bothTablesEqualTheManifestAfterThreeRunsOverAGrowingTable() throws IOException {
    String iceberg = "ice.db.images";
    String delta = path("delta images");
    for (int run = 0; run < 3; run++) {
      TestJob job =
          switch (run) {
            case 0 -> job("growing", "one", "id,prompt", "a,red mug", "b,jug", ",nameless");
            case 1 ->
                job("growing", "two", "id,prompt,our price", "a,red mug,3", "b,blue jug,4", "c,,5");
            default -> job("growing", "two", "id,prompt,our price", "c,cup,5", "d,pot,6", ",new");
          };
      SolidColorPipeline pipeline = new SolidColorPipeline();
      RunResult result = job.option(LakehouseOptions.MANIFEST_TABLE, iceberg).run(pipeline);
      assertThat(result.problems()).isEmpty();
      ManifestMerge.execute(spark, merge("growing", delta));
      assertEqualsState(iceberg, "growing");
      assertEqualsState(delta, "growing");
    }
    assertThat(spark.table(iceberg).select("id", "status").orderBy("id").collectAsList())
        .hasToString("[[null,invalid], [a,reused], [b,generated], [c,generated], [d,generated]]");

    long commits = spark.sql("SELECT * FROM ice.db.images.snapshots").count();
    ManifestMerge.execute(spark, merge("growing", iceberg));
    assertEqualsState(iceberg, "growing");
    assertThat(commits).as("its creation and three merges").isEqualTo(4);
  }

  @Test
  void aMergeThatFailsLosesNoRunAndSaysHowToRepeatIt() throws IOException {
    spark.sql("CREATE TABLE ice.db.narrow (id STRING, variant INT, shelf INT) USING iceberg");
    RunResult result =
        job("narrow", "one", "id,prompt,shelf", "a,mug,top")
            .option(LakehouseOptions.MANIFEST_TABLE, "ice.db.narrow")
            .run(new SolidColorPipeline());

    assertThat(result.counts()).containsEntry(ImageStatus.GENERATED, 1L);
    assertThat(result.problems())
        .singleElement()
        .asString()
        .contains("column 'shelf' of manifest table 'ice.db.narrow' is int")
        .contains("lightmill merge --output '" + directory.resolve("narrow") + "'")
        .contains("--manifest-table 'ice.db.narrow'");
    spark.sql("DROP TABLE ice.db.narrow");
    ManifestMerge.execute(spark, merge("narrow", "ice.db.narrow"));
    assertEqualsState("ice.db.narrow", "narrow");

    assertThatThrownBy(() -> ManifestMerge.execute(spark, merge("other", "ice.db.narrow")))
        .hasMessageContaining("describes the output 'file:" + directory.resolve("narrow"))
        .hasMessageContaining("ALTER TABLE ice.db.narrow SET TBLPROPERTIES");
  }

  @Test
  void aTableThatCannotBeMergedIntoIsRefusedBeforeAnImageIsDrawn() throws IOException {
    String location = directory.resolve("plain").toString();
    spark.range(1).write().format("parquet").option("path", location).saveAsTable("plain_numbers");
    assertRefused("plain_numbers", "has the format 'parquet'");
    assertRefused("nowhere.db.images", "names the catalogue 'nowhere', which is not configured");
    assertRefused("gone.db.images", "cannot be opened");
    assertRefused("ice.nodb.images", "run CREATE NAMESPACE ice.nodb");
    assertRefused("ice..images", "is no name of a table");
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(ClassLoader.getPlatformClassLoader());
    try {
      assertThatThrownBy(() -> LakeFormat.DELTA.require("t"))
          .hasMessageContaining("--packages io.delta:delta-spark_4.1_2.13:4.3.1");
    } finally {
      Thread.currentThread().setContextClassLoader(loader);
    }
  }

  private static void assertRefused(String table, String message) throws IOException {
    SolidColorPipeline pipeline = new SolidColorPipeline();
    TestJob job =
        job("refused", "one", "id,prompt", "a,mug").option(LakehouseOptions.MANIFEST_TABLE, table);
    assertThatThrownBy(() -> job.run(pipeline))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining(message);
    assertThat(pipeline.batches).isEmpty();
  }

  @Test
  void tablesAreReadAsTheyWere() throws IOException {
    String delta = directory.resolve("delta-prompts").toString();
    spark.sql("SELECT 'a' AS id, 'a mug' AS prompt").write().format("delta").save(delta);
    spark.sql("CREATE TABLE ice.db.prompts AS SELECT 'a' AS id, 'a mug' AS prompt");
    spark.sql("ALTER TABLE ice.db.prompts CREATE TAG reviewed");
    String between =
        spark
            .sql("SELECT string(current_timestamp() + INTERVAL 1 MILLISECOND)")
            .head()
            .getString(0);
    for (String table : List.of("delta.`" + delta + "`", "ice.db.prompts")) {
      spark.sql("UPDATE " + table + " SET prompt = 'a jug'");
    }

    assertThat(prompt(delta, TableVersion.NEWEST)).isEqualTo("a jug");
    assertThat(prompt(delta, version("0"))).isEqualTo("a mug");
    assertThat(prompt("delta.`" + delta + "`", version("0"))).isEqualTo("a mug");
    assertThat(prompt("ice.db.prompts", TableVersion.NEWEST)).isEqualTo("a jug");
    assertThat(prompt("ice.db.prompts", version("reviewed"))).isEqualTo("a mug");
    assertThat(prompt(directory + "/ice/db/prompts", TableVersion.NEWEST)).isEqualTo("a jug");
    TableVersion then = new TableVersion(Optional.empty(), Optional.of(between));
    assertThat(prompt("ice.db.prompts", then)).isEqualTo("a mug");
    assertThat(prompt(delta, then)).isEqualTo("a mug");

    Path csv = Files.writeString(directory.resolve("versions.csv"), "prompt\na mug\n");
    assertThatThrownBy(() -> prompt(csv.toString(), version("3")))
        .hasMessageContaining("has no versions");
    assertThatThrownBy(() -> prompt("ice.db.prompts", version("99")))
        .hasMessageContaining("ice.db.prompts");
    assertThatThrownBy(() -> new TableVersion(Optional.of("1"), Optional.of("now")))
        .hasMessageContaining("exclude each other");
  }

  private static TableVersion version(String version) {
    return new TableVersion(Optional.of(version), Optional.empty());
  }

  private static String prompt(String location, TableVersion version) {
    PromptInput input =
        new PromptInput(
            Optional.empty(),
            location,
            Optional.empty(),
            version,
            Map.of(),
            Optional.empty(),
            OptionalInt.empty());
    List<Row> rows = PromptRows.open(spark, input, List.of()).rows().collectAsList();
    assertThat(rows).hasSize(1);
    return rows.get(0).getAs("prompt");
  }
}
