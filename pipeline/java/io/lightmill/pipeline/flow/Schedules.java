package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.Schedule;
import java.util.LinkedHashMap;
import java.util.Map;

/** The last few schedules of a checkpoint, by steps and size of the image. */
final class Schedules {

  private static final int MOST = 64;

  private record Size(int numInferenceSteps, int imageTokens) {}

  private final Family family;
  private final FlowMatchEulerDiscreteScheduler scheduler;
  private final Map<Size, Schedule> known =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Size, Schedule> eldest) {
          return size() > MOST;
        }
      };

  Schedules(Family family, FlowMatchEulerDiscreteScheduler scheduler) {
    this.family = family;
    this.scheduler = scheduler;
  }

  /**
   * The sigmas of a run.
   *
   * @param imageTokens tokens of one image
   */
  synchronized Schedule of(int numInferenceSteps, int imageTokens) {
    return known.computeIfAbsent(
        new Size(numInferenceSteps, imageTokens),
        size -> family.schedule(scheduler, numInferenceSteps, imageTokens));
  }
}
