package io.lightmill.udfs.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

/** Calls to a store that is away, on a clock of the test. */
class StoreRetryTest {

  private static final Duration LONGEST = Duration.ofMinutes(15);

  private final List<Duration> pauses = new ArrayList<>();
  private final AtomicInteger calls = new AtomicInteger();
  private Duration now = Duration.ZERO;
  private final StoreRetry retry =
      new StoreRetry(
          "s3a://bucket",
          LONGEST,
          () -> now.toNanos(),
          pause -> {
            pauses.add(pause);
            now = now.plus(pause);
          });

  /** A call that fails until the given time. */
  private String callUntil(Duration back, IOException failure) throws IOException {
    return retry.call(
        () -> {
          calls.incrementAndGet();
          if (now.compareTo(back) < 0) {
            throw failure;
          }
          return "answer";
        });
  }

  @Test
  void aStoreThatIsAwayForTenMinutesIsWaitedFor() throws IOException {
    assertThat(callUntil(Duration.ofMinutes(10), new ConnectException("refused")))
        .isEqualTo("answer");

    assertThat(pauses.subList(0, 6))
        .extracting(Duration::toSeconds)
        .containsExactly(1L, 2L, 4L, 8L, 15L, 15L);
    assertThat(now).isBetween(Duration.ofMinutes(10), Duration.ofMinutes(10).plusSeconds(15));
  }

  @Test
  void aStoreThatIsAwayForTooLongIsGivenUpWithTheDuration() {
    assertThatThrownBy(() -> callUntil(Duration.ofHours(1), new ConnectException("refused")))
        .isInstanceOf(IOException.class)
        .hasMessageMatching("the store did not respond for 15 min.*\\(refused\\)");
    assertThat(now).isBetween(LONGEST, LONGEST.plusSeconds(15));
  }

  @Test
  void anOutageEndsForAllCallersAtOnce() {
    Duration hour = Duration.ofHours(1);
    assertThatThrownBy(() -> callUntil(hour, new ConnectException("refused")))
        .hasMessageContaining("did not respond");
    int before = calls.get();

    assertThatThrownBy(() -> callUntil(hour, new ConnectException("refused")))
        .hasMessageContaining("did not respond");
    assertThat(calls.get() - before).isEqualTo(1);
  }

  @Test
  void theNextOutageIsWaitedForAsLong() throws IOException {
    callUntil(Duration.ofMinutes(10), new ConnectException("refused"));
    now = Duration.ofMinutes(20);

    assertThat(callUntil(Duration.ofMinutes(30), new ConnectException("refused")))
        .isEqualTo("answer");
  }

  @Test
  void aRefusalIsRepeatedForAMinuteAndThenFailsAtOnce() throws IOException {
    AccessDeniedException denied = new AccessDeniedException("images/1.png");
    assertThat(callUntil(Duration.ofSeconds(40), denied)).isEqualTo("answer");
    Duration start = now;

    assertThatThrownBy(() -> callUntil(Duration.ofHours(1), denied)).isSameAs(denied);
    assertThat(now.minus(start)).isBetween(Duration.ofSeconds(60), Duration.ofSeconds(75));
    int before = calls.get();
    assertThatThrownBy(() -> callUntil(Duration.ofHours(1), denied)).isSameAs(denied);
    assertThat(calls.get() - before).isEqualTo(1);
  }

  @Test
  void otherFailuresAreNotRepeated() {
    FileNotFoundException missing = new FileNotFoundException("images/1.png");

    assertThatThrownBy(() -> callUntil(LONGEST, missing)).isSameAs(missing);
    assertThat(pauses).isEmpty();
  }

  @Test
  void aThreadThatIsInterruptedDoesNotWait() {
    StoreRetry interrupted =
        new StoreRetry(
            "s3a://bucket",
            LONGEST,
            () -> now.toNanos(),
            pause -> {
              throw new InterruptedException();
            });

    assertThatThrownBy(
            () ->
                interrupted.call(
                    () -> {
                      throw new ConnectException("refused");
                    }))
        .isInstanceOf(InterruptedIOException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void aLocalDiskIsNeverAway() throws IOException {
    StoreRetry local = StoreRetry.of(URI.create("file:///out"), new Configuration(false));

    assertThatThrownBy(
            () ->
                local.call(
                    () -> {
                      throw new ConnectException("refused");
                    }))
        .isInstanceOf(ConnectException.class);
  }

  @Test
  void theFailureOfATaskOfAnotherProcessIsRecognizedByItsText() {
    assertThat(
            StoreOutage.isCauseOf(
                new IllegalStateException(
                    "Job aborted due to stage failure: Lost task 0.3 in stage 4.0:"
                        + " org.apache.hadoop.fs.s3a.AWSServiceThrottledException: Slow down")))
        .isTrue();
    assertThat(StoreOutage.isCauseOf(new IllegalStateException("a defect"))).isFalse();
  }
}
