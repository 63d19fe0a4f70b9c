package io.lightmill.udfs;

import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The main flow: a prompt table in, images and a committed manifest out. */
public final class ImageGeneration {

  private ImageGeneration() {}

  /**
   * What a run left behind.
   *
   * @param manifest one row per image asked for, read back from the committed manifest
   * @param statuses rows by status
   * @param modelDigest of the checkpoint
   * @param planSeconds from the call to the first generating task
   * @param generateSeconds of the generating stage, manifest commit included
   * @param engineSeconds that the devices together spent drawing
   */
  public record Result(
      Dataset<Row> manifest,
      Map<String, Long> statuses,
      String modelDigest,
      double planSeconds,
      double generateSeconds,
      double engineSeconds) {}

  /** Told how far the run is; called from threads of its own. */
  public interface Progress {

    /** The plan stands: {@code images} rows will be accounted for, of which some need drawing. */
    void planned(long images, long toGenerate);

    /** Rows finished so far, whatever became of them. */
    void finished(long images);
  }

  /**
   * Runs the job. Bad configuration and bad tables are refused before any weight is loaded; a bad
   * row becomes a manifest row.
   *
   * @throws io.lightmill.pipeline.LightmillException for what the user can mend
   */
  public static Result run(SparkSession spark, GenerationSettings settings, Progress progress) {
    throw new UnsupportedOperationException("laid next");
  }
}
