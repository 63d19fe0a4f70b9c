package io.lightmill.pipeline.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** All options against the tables that diffusers' scheduler wrote. */
class FlowMatchEulerDiscreteSchedulerTableTest {

  /** Two roundings of a float. */
  private static final double RELATIVE_TOLERANCE = 2e-7;

  @TestFactory
  List<DynamicTest> schedules() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode table : tables()) {
      String name = table.get("note").asText() + ", steps=" + table.get("num_inference_steps");
      tests.add(DynamicTest.dynamicTest(name, () -> assertSchedule(table)));
    }
    return tests;
  }

  @Test
  void theTablesAreComplete() throws IOException {
    assertThat(tables()).hasSize(100);
    assertThat(tables()).anyMatch(table -> table.get("sigmas").get(0).asText().equals("nan"));
  }

  private static void assertSchedule(JsonNode table) {
    FlowMatchEulerDiscreteScheduler scheduler =
        FlowMatchEulerDiscreteScheduler.of(table.get("config"));
    int steps = table.get("num_inference_steps").asInt();

    Schedule schedule = scheduler.schedule(steps, sigmas(table, steps), mu(table));

    assertClose(schedule.sigmas(), table.get("sigmas"));
    assertClose(schedule.timesteps(), table.get("timesteps"));
    assertThat((double) scheduler.sigmaMin()).isEqualTo(table.get("sigma_min").asDouble());
    assertThat((double) scheduler.sigmaMax()).isEqualTo(table.get("sigma_max").asDouble());
  }

  private static Optional<double[]> sigmas(JsonNode table, int steps) {
    String input = table.get("input_sigmas").asText();
    if (input.equals("linspace_1_to_1/n")) {
      return Optional.of(FlowMatchEulerDiscreteScheduler.linearSigmas(steps));
    }
    assertThat(input).startsWith("none");
    return Optional.empty();
  }

  private static OptionalDouble mu(JsonNode table) {
    JsonNode mu = table.get("mu");
    return mu.isNull() ? OptionalDouble.empty() : OptionalDouble.of(mu.asDouble());
  }

  private static void assertClose(float[] actual, JsonNode expected) {
    assertThat(actual).hasSize(expected.size());
    for (int i = 0; i < actual.length; i++) {
      if (expected.get(i).asText().equals("nan")) {
        assertThat(actual[i]).as("[%d]", i).isNaN();
      } else {
        double value = expected.get(i).asDouble();
        assertThat(Math.abs(actual[i] - value))
            .as("[%d] is %s instead of %s", i, actual[i], value)
            .isLessThanOrEqualTo(RELATIVE_TOLERANCE * Math.abs(value));
      }
    }
  }

  private static JsonNode tables() throws IOException {
    Path file = Path.of("src/test/resources/reference/scheduler_tables.json");
    return new ObjectMapper().readTree(file.toFile()).get("tables");
  }
}
