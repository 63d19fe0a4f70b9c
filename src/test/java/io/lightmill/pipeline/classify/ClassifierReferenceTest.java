package io.lightmill.pipeline.classify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.text.WindowTokenizer;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All networks against what transformers and diffusers compute with the same checkpoints. */
class ClassifierReferenceTest {

  private static final Offset<Float> CLOSE = within(1e-4f);

  /** Resizing is Pillow's to the last bit; what remains is the rounding of the normalisation. */
  @ParameterizedTest
  @ValueSource(strings = {"vit", "vit-lanczos", "safety-checker", "clip", "siglip"})
  void picturesArePreparedAsByTheImageProcessor(String model) {
    PixelPreparation.Defaults defaults =
        model.startsWith("vit")
            ? PixelPreparation.Defaults.VIT
            : model.equals("siglip")
                ? PixelPreparation.Defaults.SIGLIP
                : PixelPreparation.Defaults.CLIP;
    PixelPreparation preparation = PixelPreparation.of(ClassifierCases.model(model), defaults, 32);
    for (String picture : ClassifierCases.PICTURES) {
      try (Tensor given = PictureTensor.of(ClassifierCases.picture(picture), Device.CPU);
          Tensor prepared = preparation.prepare(given, Device.CPU);
          Tensor expected = ClassifierCases.tensor("%s.pixels.%s".formatted(model, picture))) {
        assertThat(prepared.shape()).containsExactly(1, 3, 32, 32);
        assertThat(prepared.toFloats()).containsExactly(expected.toFloats(), within(1e-6f));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"vit", "vit-lanczos"})
  void imagesAreClassified(String model) {
    JsonNode cases = ClassifierCases.of(model);
    try (VitClassifier classifier = VitClassifier.load(ClassifierCases.model(model), Device.CPU)) {
      for (String picture : ClassifierCases.PICTURES) {
        float[] logits = ClassifierCases.floats(cases.path(picture));
        RgbImage image = ClassifierCases.picture(picture);
        assertThat(classifier.logits(image)).as(picture).containsExactly(logits, CLOSE);
        double other = Math.exp(logits[0] - logits[1]); // softmax of two logits
        Map<String, Double> scores = classifier.scores(image);
        assertThat(scores).containsOnlyKeys("normal", "nsfw");
        assertThat(scores.get("nsfw")).isEqualTo(1 / (1 + other), within(1e-4));
      }
    }
  }

  @Test
  void theSafetyCheckerFlagsWhatDiffusersFlags() {
    JsonNode cases = ClassifierCases.of("safety-checker");
    double threshold =
        ImageClassifier.describe(ClassifierCases.model("safety-checker"))
            .thresholds()
            .get(SafetyChecker.NSFW);
    try (SafetyChecker checker =
        SafetyChecker.load(ClassifierCases.model("safety-checker"), Device.CPU)) {
      for (String picture : ClassifierCases.PICTURES) {
        JsonNode expected = cases.path(picture);
        RgbImage image = ClassifierCases.picture(picture);
        List<float[]> cosines = checker.cosines(image);
        assertThat(cosines.get(0))
            .containsExactly(ClassifierCases.floats(expected.path("concepts")), CLOSE);
        assertThat(cosines.get(1))
            .containsExactly(ClassifierCases.floats(expected.path("special")), CLOSE);
        assertThat(checker.scores(image).get(SafetyChecker.NSFW) >= threshold)
            .as(picture)
            .isEqualTo(expected.path("flagged").booleanValue());
      }
    }
    assertThat(cases).extracting(c -> c.path("flagged").booleanValue()).contains(true, false);
  }

  @ParameterizedTest
  @ValueSource(strings = {"clip", "siglip"})
  void picturesAreScoredForTexts(String model) {
    JsonNode cases = ClassifierCases.of(model);
    List<String> texts = ClassifierCases.texts();
    try (ImageScorer scorer = ImageScorer.load(ClassifierCases.model(model), Device.CPU)) {
      for (String picture : ClassifierCases.PICTURES) {
        float[] expected = ClassifierCases.floats(cases.path(picture).path("scores"));
        RgbImage image = ClassifierCases.picture(picture);
        for (int i = 0; i < expected.length; i++) {
          assertThat((float) scorer.score(image, texts.get(i)))
              .as("%s, %s", picture, texts.get(i))
              .isEqualTo(expected[i], CLOSE);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert", "distilbert", "roberta", "deberta-v2", "deberta-v3"})
  void promptsAreTokenized(String model) {
    JsonNode ids = ClassifierCases.of(model).path("ids");
    List<String> texts = ClassifierCases.texts();
    try (WindowTokenizer tokenizer =
        WindowTokenizer.open(ClassifierCases.directory(model), 10_000)) {
      for (int i = 0; i < texts.size() - 1; i++) { // the last one is longer than some allow
        long[] expected = ids.get(i).valueStream().mapToLong(JsonNode::longValue).toArray();
        assertThat(tokenizer.windows(texts.get(i))).as(texts.get(i)).containsExactly(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert", "distilbert", "roberta", "deberta-v2", "deberta-v3"})
  void promptsAreClassified(String model) {
    JsonNode logits = ClassifierCases.of(model).path("logits");
    List<String> texts = ClassifierCases.texts();
    try (PromptClassifier classifier =
        PromptClassifier.load(ClassifierCases.model(model), Device.CPU)) {
      for (int i = 0; i < texts.size(); i++) {
        List<float[]> windows = classifier.logits(texts.get(i));
        assertThat(windows).as(texts.get(i)).hasSameSizeAs(logits.get(i));
        for (int window = 0; window < windows.size(); window++) {
          assertThat(windows.get(window))
              .as("%s, window %d", texts.get(i), window)
              .containsExactly(ClassifierCases.floats(logits.get(i).get(window)), CLOSE);
        }
      }
      assertThat(classifier.logits(texts.get(5))).hasSizeGreaterThan(4); // longer than it reads
    }
  }

  /** A label has its greatest probability of all windows. */
  @Test
  void aLongPromptHasTheGreatestScoreOfItsWindows() {
    JsonNode windows = ClassifierCases.of("roberta").path("logits").get(5);
    double greatest =
        windows
            .valueStream()
            .mapToDouble(w -> 1 / (1 + Math.exp(-w.get(1).doubleValue())))
            .max()
            .orElseThrow();
    try (PromptClassifier classifier =
        PromptClassifier.load(ClassifierCases.model("roberta"), Device.CPU)) {
      Map<String, Double> scores = classifier.scores(ClassifierCases.texts().get(5));
      assertThat(scores.get("toxic")).isEqualTo(greatest, within(1e-4));
    }
  }
}
