package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.RunListener;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class LongWaitTest {

  private static final String BUCKET = "s3a://bucket/prompts.csv";

  private final List<String> waits = new CopyOnWriteArrayList<>();

  @Test
  void aStepThatDoesNotAnswerIsReportedAgainAndAgain() {
    CountDownLatch reported = new CountDownLatch(2);
    Duration soon = Duration.ofMillis(1);

    String answer =
        new LongWait(soon, soon)
            .of(
                BUCKET,
                listener(reported),
                () -> {
                  await(reported);
                  return "answer";
                });

    assertThat(answer).isEqualTo("answer");
    assertThat(waits).hasSizeGreaterThanOrEqualTo(2).containsOnly(BUCKET);
  }

  @Test
  void aStepThatAnswersIsNotReported() {
    assertThat(LongWait.REPORTED.of(BUCKET, listener(new CountDownLatch(1)), () -> 7)).isEqualTo(7);
    assertThat(waits).isEmpty();
  }

  @Test
  void aStoreThatDoesNotRespondIsToBeTriedAgain() {
    LightmillException unreadable =
        new LightmillException(
            ErrorCode.INPUT_INVALID,
            "the table cannot be read",
            new ConnectException("Connection refused"));

    assertThatThrownBy(
            () ->
                LongWait.REPORTED.of(
                    BUCKET,
                    RunListener.NONE,
                    () -> {
                      throw unreadable;
                    }))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE))
        .hasMessageStartingWith(
            "the store of " + BUCKET + " does not respond (Connection refused); run again");
  }

  @Test
  void theFirstReportComesAfterTenSeconds() {
    assertThat(LongWait.REPORTED.first()).isEqualTo(Duration.ofSeconds(10));
  }

  private RunListener listener(CountDownLatch reported) {
    return new RunListener() {
      @Override
      public void waiting(String location, Duration since) {
        waits.add(location);
        reported.countDown();
      }
    };
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
