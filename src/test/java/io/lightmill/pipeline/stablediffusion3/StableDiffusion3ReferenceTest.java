package io.lightmill.pipeline.stablediffusion3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.verify.Comparison;
import io.lightmill.pipeline.verify.Kind;
import io.lightmill.pipeline.verify.Verification;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every call that diffusers was recorded at, from token ids to the picture. */
class StableDiffusion3ReferenceTest {

  @TestFactory
  Stream<DynamicNode> stableDiffusion3() {
    return comparisons("sd3", 100);
  }

  @TestFactory
  Stream<DynamicNode> stableDiffusion35() {
    return comparisons("sd35", 100);
  }

  private static Stream<DynamicNode> comparisons(String model, int count) {
    Path directory = ReferenceCheckpoint.of(model);
    List<Comparison> comparisons = new ArrayList<>();
    try (FlowPipeline pipeline = Families.load(Checkpoint.open(directory), Device.CPU, DType.F32)) {
      Verification.read(directory.getParent()).run(pipeline, comparisons::add);
    }
    return Stream.concat(
        Stream.of(dynamicTest("all are compared", () -> assertComplete(comparisons, count))),
        comparisons.stream().map(StableDiffusion3ReferenceTest::holds));
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
