package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.udfs.TestSpark;
import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.function.ForeachPartitionFunction;
import org.apache.spark.sql.Encoders;
import org.apache.spark.util.Utils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The device {@code /dev/full} answers every write as a full disk does. */
class FullDiskTest {

  private static final Path FULL = Path.of("/dev/full");

  private final SparkConf conf = new SparkConf(false).set("spark.local.dir", "/scratch");

  @TempDir Path directory;

  @Test
  void aFullOutputIsNamed() throws IOException {
    String file = Files.createSymbolicLink(directory.resolve("full"), FULL).toUri().toString();

    Throwable failure = failureOf(rows -> writeToOutput(file));

    assertThat(FullDisk.of(failure, "/shop/out", conf))
        .hasValueSatisfying(
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED);
              assertThat(e)
                  .hasMessageStartingWith(
                      "the disk of output '/shop/out' is full (No space left on device): ");
            });
  }

  @Test
  void aFullScratchDiskOfAnExecutorIsNamed() {
    Throwable failure = failureOf(rows -> writeScratch());

    assertThat(FullDisk.of(failure, "/shop/out", conf))
        .hasValueSatisfying(
            e ->
                assertThat(e)
                    .hasMessageStartingWith(
                        "the disk of Spark's scratch files is full (No space left on device): free"
                            + " space below '/scratch'")
                    .hasMessageContaining("spark.local.dir"));
  }

  @Test
  void otherFailuresAreNotOfDisks() {
    Throwable failure =
        failureOf(
            rows -> {
              throw new IllegalStateException("broken");
            });
    assertThat(FullDisk.of(failure, "/shop/out", conf)).isEmpty();
  }

  /** Spark's exception for a task that fails in this way. */
  private static Throwable failureOf(ForeachPartitionFunction<Long> task) {
    return catchThrowable(
        () -> TestSpark.session().range(1).as(Encoders.LONG()).foreachPartition(task));
  }

  private static void writeToOutput(String file) throws IOException {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(file);
    try (FSDataOutputStream out =
        FileSystem.getLocal(new Configuration(false)).getRawFileSystem().create(path)) {
      out.write(1);
    }
  }

  private static void writeScratch() throws IOException {
    try (OutputStream out = new FileOutputStream(FULL.toFile())) {
      Utils.copyStream(new ByteArrayInputStream(new byte[1]), out, false, false);
    }
  }
}
