package io.lightmill.pipeline.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** All calls that diffusers was recorded at with one checkpoint. */
public final class RecordedCalls {

  private RecordedCalls() {}

  /** A test for each comparison of a model such as {@code zimage}, and one that counts them. */
  public static Stream<DynamicNode> of(String model, int count) {
    Path reference = Path.of("src/test/resources/reference", model);
    List<Comparison> comparisons = new ArrayList<>();
    try (FlowPipeline pipeline =
        Families.load(Checkpoint.open(reference.resolve("checkpoint")), Device.CPU, DType.F32)) {
      Verification.read(reference).run(pipeline, comparisons::add);
    }
    return Stream.concat(
        Stream.of(dynamicTest("all are compared", () -> assertComplete(comparisons, count))),
        comparisons.stream().map(RecordedCalls::holds));
  }

  private static void assertComplete(List<Comparison> comparisons, int count) {
    assertThat(comparisons).hasSize(count);
    assertThat(comparisons).extracting(Comparison::kind).containsAll(EnumSet.allOf(Kind.class));
  }

  private static DynamicTest holds(Comparison comparison) {
    return dynamicTest(
        comparison.caseName() + ": " + comparison.quantity(),
        () -> assertThat(comparison.holds()).as("%s", comparison).isTrue());
  }
}
