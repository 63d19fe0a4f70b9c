package io.lightmill.udfs.progress;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.TestSpark;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class ImageProgressTest {

  private final List<Long> reported = new CopyOnWriteArrayList<>();

  private final RunListener listener =
      new RunListener() {
        @Override
        public void planned(long images, long toGenerate) {}

        @Override
        public void finished(long images) {
          reported.add(images);
        }
      };

  @Test
  void retriesAndSpeculationCountNoRowTwice() {
    try (ImageProgress progress =
        ImageProgress.follow(TestSpark.session(), "progress-test", listener, OptionalInt.empty())) {
      assertThat(progress.firstTaskNanos()).isEmpty();
      received(0, 0);
      assertThat(progress.firstTaskNanos()).isPresent();
      received(0, 5);
      received(1, 3);
      received(0, 2); // a second attempt starts over
      received(0, 6);
      ImageProgress.received(new TaskProgress("another run", 0, 100));
    }
    received(0, 7);

    assertThat(reported).containsExactly(5L, 8L, 9L);
  }

  @Test
  void theFirstTaskThatDrawsEndsTheLoading() {
    try (ImageProgress progress =
        ImageProgress.follow(TestSpark.session(), "progress-test", listener, OptionalInt.empty())) {
      ImageProgress.received(new DrawingBegun("another run"));
      assertThat(progress.firstDrawingNanos()).isEmpty();
      ImageProgress.received(new DrawingBegun("progress-test"));
      OptionalLong first = progress.firstDrawingNanos();
      ImageProgress.received(new DrawingBegun("progress-test"));
      assertThat(first).isPresent().isEqualTo(progress.firstDrawingNanos());
    }
  }

  private static void received(int partition, long finished) {
    ImageProgress.received(new TaskProgress("progress-test", partition, finished));
  }
}
