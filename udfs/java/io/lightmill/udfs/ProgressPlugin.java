package io.lightmill.udfs;

import java.io.Serializable;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries the progress of generating tasks to the driver while they run. For {@code spark.plugins};
 * without it, progress moves when tasks end.
 */
public final class ProgressPlugin implements SparkPlugin {

  private static final Logger LOG = LoggerFactory.getLogger(ProgressPlugin.class);

  private static volatile PluginContext executor;

  static boolean configured(SparkConf conf) {
    return conf.get("spark.plugins", "").contains(ProgressPlugin.class.getName());
  }

  /** Sends from an executor; never fails a task. */
  static void send(Serializable message) {
    PluginContext context = executor;
    if (context == null) {
      return;
    }
    try {
      context.send(message);
    } catch (Exception e) { // sends declare IOException, and throw what the RPC layer throws
      LOG.debug("{} did not reach the driver", message, e);
    }
  }

  @Override
  public DriverPlugin driverPlugin() {
    return new DriverPlugin() {
      @Override
      public Object receive(Object message) {
        if (message instanceof TaskProgress progress) {
          ImageProgress.received(progress);
        } else if (message instanceof DrawingBegun begun) {
          ImageProgress.received(begun);
        }
        return null;
      }
    };
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorPlugin() {
      @Override
      public void init(PluginContext context, Map<String, String> extraConf) {
        executor = context;
      }

      @Override
      public void shutdown() {
        executor = null;
      }
    };
  }
}
