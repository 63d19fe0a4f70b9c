package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.SparkConf;

/**
 * Recognizes a full disk as the reason for a failure of Spark, and says which disk it is. The text
 * of the stack trace decides, since a failure of an executor arrives as text.
 */
public final class FullDisk {

  private static final Pattern FULL =
      Pattern.compile(
          "No space left on device|Disk quota exceeded|There is not enough space on the disk"
              + "|DSQuotaExceededException");

  /** The first stack frame of a library that writes files. */
  private static final Pattern WRITER =
      Pattern.compile("\\tat (?:\\S*/)?(org\\.apache\\.(?:hadoop\\.fs\\.s3a|hadoop|spark)\\.)");

  private FullDisk() {}

  /**
   * One sentence on the full disk, with {@code STORE_FAILED}; empty for any other failure.
   *
   * @param output of the run
   */
  public static Optional<LightmillException> of(Throwable failure, String output, SparkConf conf) {
    String trace = ExceptionUtils.getStackTrace(failure);
    Matcher full = FULL.matcher(trace);
    if (!full.find()) {
      return Optional.empty();
    }
    Matcher writer = WRITER.matcher(trace).region(full.end(), trace.length());
    String who = writer.find() ? writer.group(1) : "";
    return Optional.of(
        new LightmillException(
            ErrorCode.STORE_FAILED, sentence(who, full.group(), output, conf), failure));
  }

  private static String sentence(String who, String reason, String output, SparkConf conf) {
    String kept = "images that are stored are kept, and a rerun reuses them";
    if (who.startsWith("org.apache.spark.")) {
      String directory = conf.get("spark.local.dir", System.getProperty("java.io.tmpdir"));
      return "the disk of Spark's scratch files is full (%s): free space below '%s' on the driver and the executors, or set spark.local.dir (SPARK_LOCAL_DIRS on a standalone cluster) to a larger disk; %s"
          .formatted(reason, directory, kept);
    }
    if (who.equals("org.apache.hadoop.fs.s3a.")) {
      return "the disk on which S3A buffers uploads is full (%s): free space, or set spark.hadoop.fs.s3a.buffer.dir to a directory on a larger disk; %s"
          .formatted(reason, kept);
    }
    return "the disk of output '%s' is full (%s): free space there or name another output; %s"
        .formatted(output, reason, kept);
  }
}
