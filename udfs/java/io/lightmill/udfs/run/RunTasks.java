package io.lightmill.udfs.run;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The stages and tasks of the jobs with a tag. Spark's own status tracker may show the tasks of a
 * new stage only after the next heartbeat.
 */
final class RunTasks extends SparkListener {

  private static final String TAGS = "spark.job.tags";

  private final String tag;
  private final Set<Integer> stages = new HashSet<>();
  private final Set<Integer> active = new HashSet<>();
  private final Map<Integer, Integer> running = new HashMap<>();

  RunTasks(String tag) {
    this.tag = tag;
  }

  /** Whether there are stages to compute, and no task runs. */
  synchronized boolean waitForExecutors() {
    return !active.isEmpty() && running.isEmpty();
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart job) {
    Properties properties = job.properties();
    String tags = properties == null ? "" : properties.getProperty(TAGS, "");
    if (Arrays.asList(tags.split(",", -1)).contains(tag)) {
      CollectionConverters.asJava(job.stageInfos()).forEach(stage -> stages.add(stage.stageId()));
    }
  }

  @Override
  public synchronized void onStageSubmitted(SparkListenerStageSubmitted stage) {
    if (stages.contains(stage.stageInfo().stageId())) {
      active.add(stage.stageInfo().stageId());
    }
  }

  @Override
  public synchronized void onStageCompleted(SparkListenerStageCompleted stage) {
    active.remove(stage.stageInfo().stageId());
  }

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart task) {
    if (stages.contains(task.stageId())) {
      running.merge(task.stageId(), 1, Integer::sum);
    }
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd task) {
    running.computeIfPresent(task.stageId(), (stage, tasks) -> tasks == 1 ? null : tasks - 1);
  }
}
