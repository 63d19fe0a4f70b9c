package io.lightmill.udfs.progress;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import io.lightmill.udfs.RunListener;
import java.io.Serializable;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.commons.lang3.SerializationUtils;
import org.apache.spark.SparkConf;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;

class ProgressPluginTest {

  /** Spark logs an error for each such reply. */
  @Test
  void aMessageThatWaitsForNoReplyGetsNoneAndIsHandled() {
    ProgressPlugin plugin = new ProgressPlugin();
    Wire wire = new Wire(plugin.driverPlugin(), new ArrayList<>());
    ExecutorPlugin executor = plugin.executorPlugin();
    List<Long> failures = new ArrayList<>();
    RunListener listener =
        new RunListener() {
          @Override
          public void tooManyFailures(long rows) {
            failures.add(rows);
          }
        };
    executor.init(wire, Map.of());
    try (ImageProgress progress =
        ImageProgress.follow("plugin-test", listener, OptionalInt.of(2), Optional.empty())) {
      new DrawingStop("plugin-test", null, Clock.systemUTC()).ended(0, 3);
      assertThat(progress.firstTaskNanos()).isEmpty();
    } finally {
      executor.shutdown();
    }
    assertThat(wire.replies()).containsExactly((Object) null);
    assertThat(failures).containsExactly(3L);
  }

  /** The way from an executor to the driver: messages arrive as copies. */
  private record Wire(DriverPlugin driver, List<Object> replies) implements PluginContext {

    @Override
    public void send(Object message) {
      replies.add(ask(message));
    }

    @Override
    public Object ask(Object message) {
      try {
        return driver.receive(SerializationUtils.clone((Serializable) message));
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public MetricRegistry metricRegistry() {
      return new MetricRegistry();
    }

    @Override
    public SparkConf conf() {
      return new SparkConf(false);
    }

    @Override
    public String executorID() {
      return "1";
    }

    @Override
    public String hostname() {
      return "host";
    }

    @Override
    public Map<String, ResourceInformation> resources() {
      return Map.of();
    }
  }
}
