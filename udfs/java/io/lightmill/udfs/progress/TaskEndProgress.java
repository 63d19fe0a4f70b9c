package io.lightmill.udfs.progress;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/**
 * Progress for sessions without {@link ProgressPlugin}: counts the rows that a task wrote when it
 * ends.
 */
final class TaskEndProgress extends SparkListener implements AutoCloseable {

  private static final String RUN = "lightmill.run";

  private final SparkContext context;
  private final String run;
  private final Set<Integer> stages = ConcurrentHashMap.newKeySet();

  TaskEndProgress(SparkContext context, String run) {
    this.context = context;
    this.run = run;
  }

  /** Follows the jobs that this thread starts until closed. */
  void follow() {
    context.setLocalProperty(RUN, run);
    context.addSparkListener(this);
  }

  @Override
  public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
    if (run.equals(submitted.properties().getProperty(RUN))) {
      stages.add(submitted.stageInfo().stageId());
    }
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd end) {
    boolean wrote =
        stages.contains(end.stageId())
            && end.taskInfo().successful()
            && end.taskMetrics() != null
            && end.taskMetrics().outputMetrics().recordsWritten() > 0;
    if (wrote) {
      ImageProgress.received(
          new TaskProgress(
              run,
              end.taskInfo().partitionId(),
              end.taskMetrics().outputMetrics().recordsWritten()));
    }
  }

  @Override
  public void close() {
    context.removeSparkListener(this);
    context.setLocalProperty(RUN, null);
  }
}
