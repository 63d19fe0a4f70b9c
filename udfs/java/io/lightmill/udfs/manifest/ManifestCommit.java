package io.lightmill.udfs.manifest;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The way in which rows become the files of a directory together, or not at all.
 *
 * <p>On S3, Hadoop's magic committer: tasks upload their files without completing the uploads, and
 * the driver completes those of the tasks that count. Elsewhere, rows are written beside their
 * place, under a name that readers pass over, and the directory is renamed. Either way the file
 * {@value #SUCCESS} comes last.
 */
public record ManifestCommit(SparkSession spark, Path directory) {

  public static final String SUCCESS = "_SUCCESS";

  private static final String COMMITTER_NAME = "fs.s3a.committer.name";

  /** Settings of the session that writes to S3. */
  private static final Map<String, String> S3A_SESSION =
      Map.of(
          "spark.sql.sources.commitProtocolClass",
          "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
          "spark.sql.parquet.output.committer.class",
          "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter");

  /** Of Hadoop, in the one job that writes. */
  private static final Map<String, String> S3A_JOB =
      Map.of(
          "mapreduce.outputcommitter.factory.scheme.s3a",
          "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
          "fs.s3a.committer.magic.enabled",
          "true");

  /**
   * A session with the settings and the Spark context of another, so that what a commit sets changes
   * neither that session nor a commit at the same time.
   */
  static SparkSession session(SparkSession of) {
    SparkSession own = of.newSession();
    CollectionConverters.asJava(of.conf().getAll())
        .forEach(
            (key, value) -> {
              if (own.conf().isModifiable(key)) {
                own.conf().set(key, value);
              }
            });
    return own;
  }

  /**
   * Writes and commits the rows; computes them once.
   *
   * @param held refuses the commit by throwing; asked as late as the way allows
   */
  void write(DataFrameWriter<Row> rows, Runnable held) throws IOException {
    DataFrameWriter<Row> marked =
        rows.mode(SaveMode.ErrorIfExists)
            .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", true);
    FileSystem fileSystem = directory.getFileSystem(hadoop());
    if (fileSystem.getUri().getScheme().equals("s3a")) {
      fileSystem.delete(directory, true); // of a run of this name that was killed
      writeToS3(marked);
      return;
    }
    Path beside = new Path(directory.getParent(), "." + directory.getName());
    fileSystem.delete(beside, true); // of a run of this name that was killed
    marked.parquet(beside.toString());
    held.run();
    if (!fileSystem.rename(beside, directory)) {
      throw new IOException("Could not rename %s to %s".formatted(beside, directory));
    }
  }

  private void writeToS3(DataFrameWriter<Row> rows) {
    Map<String, String> job = new HashMap<>(S3A_JOB);
    job.put(
        COMMITTER_NAME,
        spark.sparkContext().getConf().get("spark.hadoop." + COMMITTER_NAME, "magic"));
    S3A_SESSION.forEach(spark.conf()::set);
    rows.options(job).parquet(directory.toString());
  }

  private Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }
}
