package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.HandClock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class MissingExecutorsTest {

  private final HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
  private final AtomicInteger executors = new AtomicInteger();
  private final SparkConf conf =
      new SparkConf(false).setMaster("spark://host:7077").set("spark.executor.memory", "8g");

  @Test
  void saysWhatNobodyHadToOffer() {
    conf.set("spark.executor.cores", "4").set("spark.executor.resource.gpu.amount", "2");
    try (MissingExecutors missing = new MissingExecutors(conf, executors::get, clock)) {
      clock.advance(Duration.ofMinutes(2));

      assertThat(missing.look())
          .hasValueSatisfying(
              sentence ->
                  assertThat(sentence)
                      .startsWith("for 120 s there has been no executor. ")
                      .contains("4 cores, 8g of memory and 2 GPUs; ")
                      .contains("spark://host:7077"));
    }
  }

  @Test
  void saysNothingWhileThereIsOneAndCountsFromTheLast() {
    try (MissingExecutors missing = new MissingExecutors(conf, executors::get, clock)) {
      executors.set(1);
      clock.advance(Duration.ofMinutes(2));
      assertThat(missing.look()).isEmpty();

      executors.set(0);
      clock.advance(Duration.ofMinutes(1));
      assertThat(missing.look())
          .hasValueSatisfying(
              sentence ->
                  assertThat(sentence)
                      .startsWith("for 60 s")
                      .contains("all cores, 8g of memory; "));
    }
  }
}
