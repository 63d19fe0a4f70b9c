package io.lightmill.udfs.progress;

import java.io.Serializable;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries messages between tasks and the driver while tasks run. The command line adds it to {@code
 * spark.plugins}; other sessions may. In local mode nothing is missing without it, since tasks and
 * driver share a JVM. On a cluster, a run without it
 *
 * <ul>
 *   <li>cannot draw with a hosted model, whose requests the driver grants,
 *   <li>reports progress when tasks end, instead of a few times a second,
 *   <li>cannot end early after too many failures or on request; deadlines hold,
 *   <li>counts the time to load models as time to draw.
 * </ul>
 */
public final class ProgressPlugin implements SparkPlugin {

  private static final Logger LOG = LoggerFactory.getLogger(ProgressPlugin.class);

  /** Spark's id of the driver, which in local mode is also that of the only executor. */
  private static final String DRIVER = "driver";

  private static volatile PluginContext executor;

  /** A message that waits for no reply. */
  private record Notice(Serializable message) implements Serializable {}

  /** Whether a session has it. */
  public static boolean configured(SparkConf conf) {
    return conf.get("spark.plugins", "").contains(ProgressPlugin.class.getName());
  }

  /** Logs what a run lacks in this session. */
  static void explainAbsence(SparkContext context) {
    if (!context.isLocal()) {
      LOG.warn(
          "spark.plugins does not have {}: progress is reported when tasks end, and the run cannot"
              + " end early after too many failures or on request",
          ProgressPlugin.class.getName());
    }
  }

  /** Sends from a task; never fails it. */
  public static void send(Serializable message) {
    PluginContext context = executor;
    try {
      if (context == null) {
        receive(message); // in local mode this JVM has the driver
      } else {
        context.send(new Notice(message));
      }
    } catch (Exception e) { // sends declare IOException, and throw what the RPC layer throws
      LOG.debug("{} did not reach the driver", message, e);
    }
  }

  /** Asks the driver from a task; empty where it does not answer. */
  public static Optional<Object> ask(Serializable question) {
    PluginContext context = executor;
    try {
      return Optional.ofNullable(context == null ? receive(question) : context.ask(question));
    } catch (Exception e) { // asks declare Exception, and throw what the RPC layer throws
      LOG.debug("{} was not answered by the driver", question, e);
      return Optional.empty();
    }
  }

  /** Handles a message; the answer to a question, else null. */
  private static Object receive(Object message) {
    if (message instanceof Notice notice) {
      receive(notice.message());
      return null; // Spark logs an error for a reply to a message that waits for none
    }
    if (message instanceof TaskProgress progress) {
      ImageProgress.received(progress);
    } else if (message instanceof DrawingBegun begun) {
      ImageProgress.received(begun);
    } else if (message instanceof DrawingStop.Question question) {
      ImageProgress.received(question);
      return DrawingStop.answer(question);
    } else if (message instanceof DriverQuestion question) {
      return question.answer();
    }
    return null;
  }

  @Override
  public DriverPlugin driverPlugin() {
    return new DriverPlugin() {
      @Override
      public Object receive(Object message) {
        return ProgressPlugin.receive(message);
      }
    };
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorPlugin() {
      @Override
      public void init(PluginContext context, Map<String, String> extraConf) {
        // In local mode a call is enough: a message takes a few threads, on cores that all draw.
        executor = context.executorID().equals(DRIVER) ? null : context;
      }

      @Override
      public void shutdown() {
        executor = null;
      }
    };
  }
}
