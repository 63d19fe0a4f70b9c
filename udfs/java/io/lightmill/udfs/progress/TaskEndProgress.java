package io.lightmill.udfs.progress;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/**
 * Progress for sessions without {@link ProgressPlugin}: the rows that a task wrote, when it ends.
 */
final class TaskEndProgress extends SparkListener implements AutoCloseable {

  private static final String RUN = "lightmill.run";

  private final SparkContext context;
  private final String runId;
  private final Set<Integer> stages = ConcurrentHashMap.newKeySet();

  TaskEndProgress(SparkContext context, String runId) {
    this.context = context;
    this.runId = runId;
  }

  /** Follows the jobs that this thread starts until closed. */
  void follow() {
    context.setLocalProperty(RUN, runId);
    context.addSparkListener(this);
  }

  @Override
  public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
    if (runId.equals(submitted.properties().getProperty(RUN))) {
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
              runId,
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
