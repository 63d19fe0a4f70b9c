package io.lightmill.pipeline.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.torch.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prompts of thousands of tokens. */
class LongPromptTest {

  private static final int LONG = 4_096;

  /** A token attends only to earlier ones, so the start of a text does not depend on its length. */
  @ParameterizedTest
  @CsvSource({"qwenimage, -1", "zimage, -2", "flux2-klein, 27"})
  void aLongTextIsReadAsItsBeginningIs(String model, int state) {
    Checkpoint checkpoint = Checkpoint.open(ReferenceCheckpoint.of(model));
    long[] ids = new long[LONG];
    Arrays.setAll(ids, i -> 3 + (i * 7919L) % 200);
    try (QwenTextEncoder encoder =
            QwenTextEncoder.load(
                checkpoint,
                "text_encoder",
                List.of(state),
                new WeightLoader(Device.CPU, DType.F32));
        Tensor longText = Tensor.of(ids, 1, LONG);
        Tensor beginning = Tensor.of(Arrays.copyOf(ids, 50), 1, 50);
        Tensor longStates = encoder.encode(longText, LONG);
        Tensor states = encoder.encode(beginning, 50)) {
      float[] all = longStates.toFloats();
      float[] first = states.toFloats();
      List<Integer> number = List.of(state);
      int width =
          QwenTextEncoder.width(QwenTextEncoder.layout(checkpoint, "text_encoder", number), number);
      assertThat(all).hasSize(LONG * width);
      double largest = 0;
      for (int i = 0; i < first.length; i++) {
        largest = Math.max(largest, Math.abs(all[i] - first[i]) / (1 + Math.abs(first[i])));
      }
      assertThat(largest).isLessThan(1e-4);
    }
  }

  /** A mask or a table over pairs of tokens would take {@code 8,192² · 4} bytes, 256 MiB. */
  @Test
  void memoryDoesNotGrowWithTheSquareOfTheTokens() throws IOException {
    int tokens = 8_192;
    Checkpoint checkpoint = Checkpoint.open(ReferenceCheckpoint.of("flux2-klein"));
    long[] ids = new long[tokens];
    Arrays.setAll(ids, i -> 3 + i % 200L);
    try (QwenTextEncoder encoder =
            QwenTextEncoder.load(
                checkpoint, "text_encoder", List.of(1), new WeightLoader(Device.CPU, DType.F32));
        Tensor text = Tensor.of(ids, 1, tokens)) {
      Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // resets the peak
      long before = peakBytes();
      encoder.encode(text, tokens).close();
      assertThat(peakBytes() - before).isLessThan(128L << 20);
    }
  }

  private static long peakBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElseThrow();
  }

  /** Text beyond the limit of diffusers' pipelines has an effect. */
  @ParameterizedTest
  @CsvSource({"qwenimage, 2000", "flux2-klein, 1500", "zimage, 992"})
  void theEndOfALongPromptHasAnEffect(String model, int sequence) {
    Checkpoint checkpoint = Checkpoint.open(ReferenceCheckpoint.of(model));
    String start = "a red mug, ".repeat(30);
    try (DiffusionPipeline pipeline = Families.load(checkpoint, Device.CPU, DType.F32)) {
      List<RgbImage> both =
          pipeline.generate(
              List.of(
                  request(padded(start, checkpoint, sequence) + "on a table", sequence),
                  request(padded(start, checkpoint, sequence) + "in a garden", sequence)));
      assertThat(both.get(0).rgb()).isNotEqualTo(both.get(1).rgb());
    }
  }

  /** A prompt that leaves space for a few more words. */
  private static String padded(String start, Checkpoint checkpoint, int sequence) {
    StringBuilder prompt = new StringBuilder(start);
    try (var length = Families.promptLength(checkpoint)) {
      while (length.tokens(prompt + "a blue bowl, ") < sequence - 100) {
        prompt.append("a blue bowl, ");
      }
    }
    return prompt.toString();
  }

  private static ImageRequest request(String prompt, int sequence) {
    return ImageRequest.builder(prompt)
        .width(32)
        .height(32)
        .numInferenceSteps(2)
        .guidanceScale(1)
        .trueCfgScale(1)
        .maxSequenceLength(sequence)
        .seed(5)
        .build();
  }
}
