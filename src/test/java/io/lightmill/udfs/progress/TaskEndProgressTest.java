package io.lightmill.udfs.progress;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.TestSpark;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskEndProgressTest {

  @TempDir Path directory;

  @Test
  void countsTheRowsOfTheManifestWhenTheirTasksEnd() throws InterruptedException {
    SparkSession spark = TestSpark.session();
    List<Long> told = new CopyOnWriteArrayList<>();
    CountDownLatch all = new CountDownLatch(1);
    RunListener listener =
        new RunListener() {
          @Override
          public void planned(long images, long toGenerate) {}

          @Override
          public void finished(long images) {
            told.add(images);
            if (images == 30) {
              all.countDown();
            }
          }
        };

    try (ImageProgress progress =
        ImageProgress.follow(
            "task-end-test",
            listener,
            OptionalInt.empty(),
            Optional.of(new TaskEndProgress(spark.sparkContext(), "task-end-test")))) {
      spark.range(0, 60, 1, 3).write().parquet(directory.resolve("plan").toString());
      assertThat(progress.firstTaskNanos()).isEmpty();
      progress.drawingStarts();
      spark.range(0, 30, 1, 3).write().parquet(directory.resolve("rows").toString());

      assertThat(all.await(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(told).containsExactly(10L, 20L, 30L);
  }
}
