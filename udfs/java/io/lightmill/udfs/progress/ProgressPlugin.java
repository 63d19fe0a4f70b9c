package io.lightmill.udfs.progress;

import java.io.Serializable;
import java.util.Map;
import java.util.Optional;
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
  public static void send(Serializable message) {
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

  /** Asks the driver from an executor; empty where it gives no answer. */
  static Optional<Object> ask(Serializable question) {
    PluginContext context = executor;
    try {
      return context == null ? Optional.empty() : Optional.ofNullable(context.ask(question));
    } catch (Exception e) { // asks declare Exception, and throw what the RPC layer throws
      LOG.debug("{} was not answered by the driver", question, e);
      return Optional.empty();
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
        } else if (message instanceof DrawingStop.Question question) {
          ImageProgress.received(question);
          return DrawingStop.answer(question);
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
