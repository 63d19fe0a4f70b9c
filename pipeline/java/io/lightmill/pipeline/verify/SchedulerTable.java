package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.Schedule;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * One recorded schedule.
 *
 * @param note that identifies the table
 * @param config of the scheduler
 * @param numInferenceSteps of the schedule
 * @param linearSigmas whether it starts from {@code linspace(1, 1/n, n)}, as most pipelines do,
 *     instead of the scheduler's own
 * @param mu of the dynamic shift
 * @param recorded sigmas, then timesteps, then the smallest and the largest sigma of training
 */
@SuppressWarnings("ArrayRecordComponent") // read once, by the comparison
public record SchedulerTable(
    String note,
    ComponentConfig config,
    int numInferenceSteps,
    boolean linearSigmas,
    OptionalDouble mu,
    float[] recorded) {

  static SchedulerTable of(Path file, int index, JsonNode json) {
    int steps = json.path("num_inference_steps").asInt();
    String input = json.path("input_sigmas").asText();
    boolean linear = input.equals("linspace_1_to_1/n");
    boolean sized =
        steps > 0
            && json.path("sigmas").size() == steps + 1
            && json.path("timesteps").size() == steps;
    if (!sized || !(linear || input.startsWith("none")) || !json.path("config").isObject()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "%s: tables[%d] is no schedule that Lightmill can compute; record the file again"
              .formatted(file, index));
    }
    JsonNode mu = json.path("mu");
    return new SchedulerTable(
        json.path("note").asText(),
        new ComponentConfig(file, json.get("config")),
        steps,
        linear,
        mu.isNumber() ? OptionalDouble.of(mu.doubleValue()) : OptionalDouble.empty(),
        recorded(json, steps));
  }

  private static float[] recorded(JsonNode json, int steps) {
    float[] values = new float[2 * steps + 3];
    int at = 0;
    for (JsonNode sigma : json.path("sigmas")) {
      values[at++] = number(sigma);
    }
    for (JsonNode timestep : json.path("timesteps")) {
      values[at++] = number(timestep);
    }
    values[at++] = number(json.path("sigma_min"));
    values[at] = number(json.path("sigma_max"));
    return values;
  }

  /** JSON has no NaN; the file has the text {@code nan} instead. */
  private static float number(JsonNode node) {
    return node.isNumber() ? (float) node.doubleValue() : Float.NaN;
  }

  /** Computes the schedule and compares it with the recorded one. */
  public Comparison compare() {
    FlowMatchEulerDiscreteScheduler scheduler = FlowMatchEulerDiscreteScheduler.of(config);
    Schedule schedule =
        scheduler.schedule(
            numInferenceSteps,
            linearSigmas
                ? Optional.of(FlowMatchEulerDiscreteScheduler.linearSigmas(numInferenceSteps))
                : Optional.empty(),
            mu);
    float[] found = Arrays.copyOf(schedule.sigmas(), recorded.length);
    int sigmas = schedule.sigmas().length;
    System.arraycopy(schedule.timesteps(), 0, found, sigmas, numInferenceSteps);
    found[recorded.length - 2] = scheduler.sigmaMin();
    found[recorded.length - 1] = scheduler.sigmaMax();
    return Tolerance.SCHEDULE.compare("scheduler", Kind.SCHEDULE, note, found, recorded);
  }
}
