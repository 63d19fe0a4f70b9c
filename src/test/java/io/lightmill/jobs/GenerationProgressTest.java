package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class GenerationProgressTest {

  private final StringWriter written = new StringWriter();
  private long seconds;

  @Test
  void itSaysWhatDraws() {
    PipelineLimits limits =
        new PipelineLimits(
            16,
            1024,
            1 << 20,
            32,
            1,
            ClassifierFreeGuidance.TRUE_CFG_SCALE,
            new PipelineLimits.Defaults(128, 128, 8, 3.5, 1, 32));
    progress("--input=a.csv").opened("FluxPipeline", "0123456789abcdef", limits);
    progress("--input=a.csv", "--checkpoint=m", "--width=96", "--num-inference-steps=4")
        .opened("ZImagePipeline", "fedcba9876543210", limits);
    assertThat(lines())
        .containsExactly(
            "checkpoint builtin:pocket: FluxPipeline, digest 0123456789ab; by default 128×128, 8"
                + " steps",
            "checkpoint m: ZImagePipeline, digest fedcba987654; by default 96×128, 4 steps");
  }

  @Test
  void itSaysWhatItWillDoAndCountsWhatIsDrawn() {
    try (GenerationProgress progress = progress()) {
      progress.planned(24, 20);
      seconds = 7; // to load the model
      progress.drawing();
      seconds = 17;
      progress.finished(10);
      seconds = 27;
      progress.finished(20);
      seconds = 40; // to commit
    }
    assertThat(lines())
        .containsExactly(
            "a.csv → 24 images: 20 to draw, 4 reused or invalid",
            "drawing  10/20   50 %  1.0/s  ETA 0:10",
            "drawing  20/20  100 %  1.0/s  in 0:20",
            "drawing  20/20  100 %  1.0/s  in 0:20");
  }

  @Test
  void theTableOfThePlanReplacesTheLineOfCounts() {
    try (GenerationProgress progress = progress()) {
      progress.plan(() -> List.of("plan: a.csv → 24 images in out", "  to draw 20"));
      progress.planned(24, 20);
    }
    assertThat(lines()).startsWith("plan: a.csv → 24 images in out", "  to draw 20");
    assertThat(lines()).noneMatch(line -> line.startsWith("a.csv →"));
  }

  @Test
  void itSaysWhichNegativePromptsHaveNoEffect() {
    progress().idleNegativePrompts(3, ClassifierFreeGuidance.TRUE_CFG_SCALE);
    progress().idleNegativePrompts(1, ClassifierFreeGuidance.GUIDANCE_SCALE);
    assertThat(lines())
        .containsExactly(
            "note: 3 images have a negative prompt without effect, since true_cfg_scale is at most"
                + " 1; set --true-cfg-scale 4 or a column true_cfg_scale, which doubles the time to"
                + " draw",
            "note: 1 image has a negative prompt without effect, since guidance_scale is at most 1;"
                + " set --guidance-scale 4 or a column guidance_scale, which doubles the time to"
                + " draw");
  }

  @Test
  void itSaysWhatItWaitsFor() {
    GenerationProgress progress = progress("--input=a.csv", "--wait-for-lock=5m");
    progress.waiting("s3a://me:hidden@bucket/a.csv", Duration.ofMillis(10_003));
    progress.waitingForLock("output 'out' is in use");
    assertThat(lines())
        .containsExactly(
            "waiting for s3a://bucket/a.csv since 10 s",
            "output 'out' is in use; this run waits at most 5m for it");
  }

  @Test
  void withNothingToDrawThereIsNoBar() {
    try (GenerationProgress progress = progress()) {
      progress.planned(1, 0);
      progress.finished(0);
    }
    assertThat(lines()).containsExactly("a.csv → 1 image: 0 to draw, 1 reused or invalid");
  }

  @Test
  void aRunThatFailsBeforeThePlanDrawsNothing() {
    progress().close();
    assertThat(written.toString()).isEmpty();
  }

  private List<String> lines() {
    return written.toString().lines().toList();
  }

  private GenerationProgress progress() {
    return progress("--input=a.csv");
  }

  private GenerationProgress progress(String... options) {
    String[] all = Arrays.copyOf(options, options.length + 1);
    all[options.length] = "--output=out";
    return new GenerationProgress(
        new PrintWriter(written),
        false,
        () -> seconds * 1_000_000_000L,
        ParsedGenerate.of(all).options());
  }
}
