import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.commons.io.FileUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.gaul.s3proxy.S3Proxy;
import org.jclouds.ContextBuilder;
import org.jclouds.blobstore.BlobStoreContext;

/**
 * Does what tests do with Spark, Hadoop and S3, so that their classes come into the class-data
 * archive (AppCDS) of Surefire's JVMs. It needs no class of Lightmill: the build runs it from its
 * source, beside the compiler.
 */
public final class ForkClasses {

  private static final String FILES = "files";

  private static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.StringType)
          .add("variant", DataTypes.IntegerType)
          .add("price", DataTypes.DoubleType)
          .add("image", DataTypes.BinaryType)
          .add("at", DataTypes.TimestampType);

  private final SparkSession spark;

  private ForkClasses(SparkSession spark) {
    this.spark = spark;
  }

  /**
   * @param arguments a directory for files
   */
  public static void main(String... arguments) throws Exception {
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    String result = "complete";
    try {
      FileUtils.deleteDirectory(directory.resolve(FILES).toFile()); // of an earlier build
      use(directory);
    } catch (Throwable e) {
      result = ExceptionUtils.getStackTrace(e);
    } finally {
      Files.writeString(directory.resolve("result"), result); // which ClassArchiveTest reads
      Runtime.getRuntime().exit(0); // Spark and the S3 service have threads
    }
  }

  private static void use(Path directory) throws Exception {
    SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", 2)
            .config("spark.sql.adaptive.enabled", false)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .config("spark.sql.warehouse.dir", directory.resolve("warehouse").toString())
            .getOrCreate();
    spark.sparkContext().setLogLevel("OFF");
    ForkClasses classes = new ForkClasses(spark);
    classes.queryFiles(directory.resolve(FILES).toUri().toString());
    classes.parquet(classes.bucket());
  }

  private String bucket() throws Exception {
    BlobStoreContext objects =
        ContextBuilder.newBuilder("transient")
            .credentials("key", "secret")
            .build(BlobStoreContext.class);
    S3Proxy proxy =
        S3Proxy.builder()
            .blobStore(objects.getBlobStore())
            .endpoint(URI.create("http://127.0.0.1:0"))
            .build();
    proxy.start();
    URI endpoint = URI.create("http://127.0.0.1:" + proxy.getPort());
    HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(endpoint.resolve("/bucket"))
                .PUT(HttpRequest.BodyPublishers.noBody())
                .build(),
            HttpResponse.BodyHandlers.ofByteArray());
    Map.of(
            "endpoint",
            endpoint.toString(),
            "endpoint.region",
            "us-east-1",
            "path.style.access",
            "true",
            "connection.ssl.enabled",
            "false",
            "access.key",
            "key",
            "secret.key",
            "secret",
            "aws.credentials.provider",
            "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider")
        .forEach(
            (name, value) ->
                spark.sparkContext().hadoopConfiguration().set("fs.s3a." + name, value));
    return "s3a://bucket/files";
  }

  private Dataset<Row> rows() {
    return spark.createDataFrame(
        List.of(
            RowFactory.create("a", 0, 1.5, new byte[] {1}, null),
            RowFactory.create("b", 1, null, null, new java.sql.Timestamp(0))),
        SCHEMA);
  }

  private Dataset<Row> parquet(String location) {
    rows().write().parquet(location + "/rows.parquet");
    Dataset<Row> read = spark.read().parquet(location + "/rows.parquet");
    assertThat(read.collectAsList()).hasSize(2);
    return read;
  }

  private void queryFiles(String location) throws Exception {
    Dataset<Row> rows = rows();
    Dataset<Row> parquet = parquet(location);
    rows.drop("image").write().option("header", true).csv(location + "/rows.csv");
    rows.drop("image").write().json(location + "/rows.json");
    Dataset<Row> csv = spark.read().option("header", true).csv(location + "/rows.csv");
    Dataset<Row> json = spark.read().schema(SCHEMA).json(location + "/rows.json");
    parquet.createOrReplaceTempView("rows");
    String newest =
        "SELECT id, variant, row_number() OVER (PARTITION BY id ORDER BY at DESC) AS place"
            + " FROM rows WHERE price IS NULL OR id LIKE 'a%'";
    assertThat(spark.sql(newest).filter("place = 1").collectAsList()).isNotEmpty();
    assertThat(
            parquet
                .join(csv.select("id"), "id")
                .unionByName(json)
                .withColumn("seed", when(col("variant").gt(lit(0)), 1L).otherwise(2L))
                .selectExpr("*", "sha2(image, 256) AS sha256", "struct(id, variant) AS name")
                .groupBy("id")
                .agg(Map.of("variant", "max", "seed", "count"))
                .orderBy("id")
                .collectAsList())
        .hasSize(2);
    assertThat(rows.dropDuplicates("id").repartition(2).localCheckpoint().count()).isEqualTo(2);
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    // No lambdas: tasks do not find the classes of a program that runs from its source.
    assertThat(context.parallelize(List.of(1, 2, 3), 2).coalesce(1).collect()).hasSize(3);
    assertThat(parquet.javaRDD().zipWithIndex().collect()).hasSize(2);
    assertThat(new ObjectMapper().readTree(parquet.toJSON().first()).has("id")).isTrue();
  }
}
