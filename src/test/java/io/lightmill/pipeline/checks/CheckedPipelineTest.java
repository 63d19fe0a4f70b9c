package io.lightmill.pipeline.checks;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.Screening;
import io.lightmill.pipeline.Screening.Fate;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.classify.ClassifierCases;
import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.pipeline.classify.ImageScorer;
import io.lightmill.pipeline.classify.PromptClassifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checks around a pipeline that draws noise, with small classifiers whose scores are known. */
class CheckedPipelineTest {

  private static final String PROMPT = "a red mug on a white table";
  private static final List<Long> SEEDS = List.of(1L, 2L, 3L, 4L);

  private static ImageClassifier classifier;
  private static ImageScorer scorer;
  private static PromptClassifier prompts;

  static final PipelineLimits LIMITS =
      new PipelineLimits(
          16,
          1024,
          1 << 20,
          64,
          1,
          ClassifierFreeGuidance.GUIDANCE_SCALE,
          new PipelineLimits.Defaults(64, 64, 4, 1, 1, 64));

  private final List<List<Long>> drawn = new ArrayList<>();

  @BeforeAll
  static void load() {
    classifier = ImageClassifier.load(model("vit"), Device.CPU);
    scorer = ImageScorer.load(model("clip"), Device.CPU);
    prompts = PromptClassifier.load(model("bert"), Device.CPU);
  }

  @AfterAll
  static void close() {
    prompts.close();
    scorer.close();
    classifier.close();
  }

  private static ModelDirectory model(String name) {
    return new ModelDirectory(ClassifierCases.directory(name));
  }

  /** Draws noise from the seed; seeds below 0 draw black. */
  private final class Noise implements DiffusionPipeline {

    @Override
    public PipelineLimits limits() {
      return LIMITS;
    }

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      drawn.add(batch.stream().map(ImageRequest::seed).toList());
      return batch.stream().map(request -> noise(request.seed())).toList();
    }

    @Override
    public void close() {}
  }

  private static RgbImage noise(long seed) {
    byte[] rgb = new byte[40 * 32 * 3];
    if (seed >= 0) {
      new Random(seed).nextBytes(rgb);
    }
    return new RgbImage(40, 32, rgb);
  }

  private static ImageRequest request(String prompt, long seed) {
    return ImageRequest.builder(prompt).width(40).height(32).seed(seed).build();
  }

  private List<ImageResult> results(CheckSettings settings, CheckNetworks networks, long... seeds) {
    return new CheckedPipeline(new Noise(), settings, networks)
        .results(LongStream.of(seeds).mapToObj(seed -> request(PROMPT, seed)).toList());
  }

  private static CheckNetworks withClassifier() {
    return new CheckNetworks(Optional.empty(), Optional.of(classifier), Optional.empty());
  }

  private static CheckSettings rule(double threshold, LabelRule.Action action, int retries) {
    return new CheckSettings(
        false,
        List.of(),
        List.of(new LabelRule("nsfw", threshold, action)),
        1,
        retries,
        false,
        "d1g357");
  }

  private static double nsfw(long seed) {
    return classifier.scores(noise(seed)).get("nsfw");
  }

  /** The seeds in the order of their scores, lowest first. */
  private static List<Long> ranked() {
    return SEEDS.stream().sorted(Comparator.comparing(CheckedPipelineTest::nsfw)).toList();
  }

  @Test
  void anImageOfOneColourFailsAndCostsNoOther() {
    List<ImageResult> results = results(CheckSettings.STANDARD, CheckNetworks.NONE, 1, -1, 2);

    assertThat(results.get(1).failure().orElseThrow())
        .hasMessageContaining("one colour (red 0, green 0, blue 0")
        .hasMessageContaining("--blank-images=keep")
        .matches(e -> e.code() == ErrorCode.IMAGE_BLANK);
    assertThat(results.get(0).orElseThrow().rgb()).isEqualTo(noise(1).rgb());
    assertThat(results.get(2).orElseThrow().rgb()).isEqualTo(noise(2).rgb());
  }

  @ParameterizedTest
  @CsvSource({"0, true", "2, true", "3, false", "255, false"})
  void oneChannelOfAnotherValueIsEnough(int difference, boolean blank) {
    RgbImage image = noise(-1);
    image.rgb()[40 * 3 * 16 + 1] = (byte) difference; // green, in the middle

    assertThat(BlankCheck.failure(image).isPresent()).isEqualTo(blank);
  }

  @Test
  void imagesOfOneColourAreKeptOnRequest() {
    CheckSettings keep = new CheckSettings(true, List.of(), List.of(), 1, 0, false, "");

    assertThat(results(keep, CheckNetworks.NONE, -1).get(0).image()).isPresent();
  }

  @Test
  void aScoreFromItsThresholdBlocks() {
    List<Long> ranked = ranked();
    double threshold = nsfw(ranked.get(2)); // reached by it and by the next one

    List<ImageResult> results =
        results(rule(threshold, LabelRule.Action.BLOCK, 0), withClassifier(), 1, 2, 3, 4);

    for (int i = 0; i < SEEDS.size(); i++) {
      ImageResult result = results.get(i);
      boolean blocked = ranked.indexOf(SEEDS.get(i)) >= 2;
      assertThat(result.facts().isBlocked()).isEqualTo(blocked);
      assertThat(result.image().isPresent()).isNotEqualTo(blocked);
      Screening.Draw draw = result.facts().screening().orElseThrow().draws().get(0);
      assertThat(draw.labels()).containsEntry("nsfw", nsfw(SEEDS.get(i)));
      assertThat(draw.fate()).isEqualTo(blocked ? Fate.BLOCKED : Fate.PASSED);
    }
    Verdict verdict = results.get(SEEDS.indexOf(ranked.get(3))).facts().verdicts().get(0);
    assertThat(verdict.stage()).isEqualTo(Verdict.Stage.IMAGE);
    assertThat(verdict.rule()).isEqualTo("nsfw");
    assertThat(verdict.policy()).isEqualTo("d1g357");
    assertThat(verdict.score()).contains(new Verdict.Score(nsfw(ranked.get(3)), threshold));
  }

  @Test
  void whatIsFoundOfAnImageDoesNotDependOnItsBatch() {
    CheckSettings settings = rule(nsfw(2), LabelRule.Action.RETRY, 2);
    List<ImageResult> together = results(settings, withClassifier(), 1, 2, 3, 4);

    for (int i = 0; i < SEEDS.size(); i++) {
      ImageResult alone = results(settings, withClassifier(), SEEDS.get(i)).get(0);
      assertThat(together.get(i).facts().screening()).isEqualTo(alone.facts().screening());
    }
  }

  @Test
  void aFlagKeepsTheImage() {
    ImageResult result = results(rule(0, LabelRule.Action.FLAG, 0), withClassifier(), 1).get(0);

    assertThat(result.image()).isPresent();
    assertThat(result.facts().verdicts()).singleElement().matches(verdict -> !verdict.blocks());
  }

  @Test
  void aBlockedImageIsKeptForQuarantineOnRequest() {
    CheckSettings settings =
        new CheckSettings(
            false,
            List.of(),
            List.of(new LabelRule("nsfw", 0, LabelRule.Action.BLOCK)),
            1,
            0,
            true,
            "d");

    ImageResult result = results(settings, withClassifier(), 1).get(0);

    assertThat(result.facts().isBlocked()).isTrue();
    assertThat(result.image().orElseThrow().rgb()).isEqualTo(noise(1).rgb());
  }

  /** Of the images that retries draw for a seed, the first below the threshold is the result. */
  @Test
  void aRetryDrawsFurtherSeedsUntilOnePasses() {
    List<Long> seeds = IntStream.range(0, 4).mapToObj(i -> FurtherSeed.of(1, i)).toList();
    double least = seeds.stream().mapToDouble(CheckedPipelineTest::nsfw).min().orElseThrow();
    int passing =
        IntStream.range(0, 4).filter(i -> nsfw(seeds.get(i)) == least).findFirst().getAsInt();
    double threshold = Math.nextUp(least); // reached by all others

    ImageResult result =
        results(rule(threshold, LabelRule.Action.RETRY, 3), withClassifier(), 1).get(0);

    assertThat(result.orElseThrow().rgb()).isEqualTo(noise(seeds.get(passing)).rgb());
    Screening screening = result.facts().screening().orElseThrow();
    assertThat(screening.seed()).contains(seeds.get(passing));
    assertThat(screening.draws())
        .extracting(Screening.Draw::seed)
        .isEqualTo(seeds.subList(0, passing + 1));
    assertThat(seeds).doesNotHaveDuplicates().startsWith(1L);
    assertThat(drawn).hasSize(passing + 1);
  }

  @Test
  void retriesEndAndBlock() {
    ImageResult result = results(rule(0, LabelRule.Action.RETRY, 2), withClassifier(), 1).get(0);

    assertThat(result.facts().isBlocked()).isTrue();
    assertThat(result.facts().screening().orElseThrow().draws()).hasSize(3);
    assertThat(drawn).hasSize(3);
  }

  @Test
  void aLabelThatBlocksIsNotTriedAgain() {
    CheckSettings settings =
        new CheckSettings(
            false,
            List.of(),
            List.of(
                new LabelRule("nsfw", 0, LabelRule.Action.RETRY),
                new LabelRule("normal", 0, LabelRule.Action.BLOCK)),
            1,
            2,
            false,
            "d");

    assertThat(results(settings, withClassifier(), 1).get(0).facts().isBlocked()).isTrue();
    assertThat(drawn).hasSize(1);
  }

  @Test
  void theBestOfSeveralIsTheResult() {
    CheckSettings settings = new CheckSettings(false, List.of(), List.of(), 3, 0, false, "d");
    CheckNetworks networks =
        new CheckNetworks(Optional.empty(), Optional.empty(), Optional.of(scorer));

    List<ImageResult> results = results(settings, networks, 1, 2);

    for (int i = 0; i < 2; i++) {
      long seed = i + 1L;
      double[] scores =
          IntStream.range(0, 3)
              .mapToDouble(draw -> scorer.score(noise(FurtherSeed.of(seed, draw)), PROMPT))
              .toArray();
      Screening screening = results.get(i).facts().screening().orElseThrow();
      assertThat(screening.draws())
          .extracting(draw -> draw.score().orElseThrow())
          .containsExactly(Arrays.stream(scores).boxed().toArray(Double[]::new));
      double best = Arrays.stream(scores).max().orElseThrow();
      int chosen = screening.chosen().orElseThrow();
      assertThat(scores[chosen]).isEqualTo(best);
      assertThat(results.get(i).orElseThrow().rgb())
          .isEqualTo(noise(FurtherSeed.of(seed, chosen)).rgb());
    }
    assertThat(drawn).hasSize(3).allMatch(batch -> batch.size() == 2);
  }

  @Test
  void anImageThatFailsLeavesTheChoiceToTheOthers() {
    CheckSettings settings = new CheckSettings(false, List.of(), List.of(), 2, 0, false, "d");
    CheckNetworks networks =
        new CheckNetworks(Optional.empty(), Optional.empty(), Optional.of(scorer));

    ImageResult result = results(settings, networks, -7).get(0); // the first draw is black

    assertThat(result.facts().screening().orElseThrow().draws())
        .extracting(Screening.Draw::fate)
        .containsExactly(Fate.FAILED, Fate.PASSED);
    assertThat(result.orElseThrow().rgb()).isEqualTo(noise(FurtherSeed.of(-7, 1)).rgb());
  }

  @Test
  void aBlockedPromptIsNotDrawn() {
    String other = "blood orange juice in a shot glass";
    Map<String, Double> scores = prompts.scores(PROMPT);
    Map<String, Double> others = prompts.scores(other);
    String label = scores.get("sexual") > others.get("sexual") ? "sexual" : "violence";
    double threshold = scores.get(label);
    assertThat(others.get(label)).isLessThan(threshold);
    CheckSettings settings =
        new CheckSettings(
            false,
            List.of(new LabelRule(label, threshold, LabelRule.Action.BLOCK)),
            List.of(),
            1,
            0,
            true,
            "d");
    CheckNetworks networks =
        new CheckNetworks(Optional.of(prompts), Optional.empty(), Optional.empty());

    List<ImageResult> results =
        new CheckedPipeline(new Noise(), settings, networks)
            .results(List.of(request(PROMPT, 1), request(other, 2)));

    assertThat(results.get(0).facts().verdicts())
        .singleElement()
        .matches(Verdict::blocks)
        .matches(verdict -> verdict.stage() == Verdict.Stage.PROMPT);
    assertThat(results.get(0).image()).isEmpty();
    assertThat(results.get(0).facts().screening().orElseThrow().prompt()).isEqualTo(scores);
    assertThat(results.get(1).image()).isPresent();
    assertThat(drawn).containsExactly(List.of(2L));
  }

  @Test
  void aScoreThatIsNoNumberCountsAsReached() {
    LabelRule rule = new LabelRule("nsfw", 0.9, LabelRule.Action.BLOCK);

    assertThat(rule.applies(Map.of("nsfw", Double.NaN))).isTrue();
    assertThat(rule.applies(Map.of("nsfw", 0.8))).isFalse();
  }
}
