package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * diffusers' {@code StableDiffusionSafetyChecker}: cosines of a picture's CLIP embedding and those
 * of 17 unwanted concepts, each minus a threshold that the checkpoint holds. The thresholds are
 * 0.01 lower if one of three special concepts exceeds its own.
 *
 * <p>The scores are {@code concept_0} to {@code concept_16}, rounded to three digits as there, and
 * {@code nsfw}, the greatest of them. diffusers blacks a picture out if one is above 0.
 */
final class SafetyChecker implements ImageClassifier {

  static final String ARCHITECTURE = "StableDiffusionSafetyChecker";

  static final String NSFW = "nsfw";

  /** The least score above 0. */
  private static final double THRESHOLD = 0.001;

  private static final int CONCEPTS = 17;
  private static final int SPECIAL = 3;
  private static final int DIGITS = 3;
  private static final double ADJUSTMENT = 0.01;

  private static final ScriptModule SCRIPT = ScriptModule.of("similarity", "Similarity");

  private static final List<String> LABELS =
      Stream.concat(Stream.of(NSFW), IntStream.range(0, CONCEPTS).mapToObj(i -> "concept_" + i))
          .toList();

  private final ImageTower network;
  private final Device device;
  private final Tensor concepts;
  private final Tensor special;
  private final float[] thresholds;
  private final float[] specialThresholds;

  private record Config(ImageTower.Config tower, int projection) {

    static Config of(ModelDirectory model) {
      ComponentConfig config = model.config();
      return new Config(
          ImageTower.Config.of(
              config.object("vision_config").orElseThrow(() -> missing(config)),
              "quick_gelu",
              1e-5,
              Set.of()),
          config.count("projection_dim", 512));
    }

    private static RuntimeException missing(ComponentConfig config) {
      return config.wrong("vision_config", "an object");
    }

    WeightLayout layout() {
      return tower
          .clip(projection)
          .tensor("concept_embeds", CONCEPTS, projection)
          .tensor("concept_embeds_weights", CONCEPTS)
          .tensor("special_care_embeds", SPECIAL, projection)
          .tensor("special_care_embeds_weights", SPECIAL)
          .named(name -> name.replaceFirst("^(vision_model\\.)+", ""))
          .unused("embeddings\\.position_ids");
    }

    PixelPreparation preparation(ModelDirectory model) {
      return PixelPreparation.of(model, PixelPreparation.Defaults.CLIP, tower.side());
    }
  }

  private SafetyChecker(ImageTower network, Device device) {
    this.network = network;
    this.device = device;
    this.concepts = tensor(network.weights(), "concept_embeds");
    this.special = tensor(network.weights(), "special_care_embeds");
    this.thresholds = numbers(network.weights(), "concept_embeds_weights");
    this.specialThresholds = numbers(network.weights(), "special_care_embeds_weights");
  }

  private static Tensor tensor(Weights weights, String name) {
    return SCRIPT.tensor("tensor", weights, name);
  }

  private static float[] numbers(Weights weights, String name) {
    try (Tensor tensor = tensor(weights, name)) {
      return PictureTensor.floats(tensor);
    }
  }

  static ClassifierInfo describe(ModelDirectory model) {
    Config config = Config.of(model);
    config.preparation(model);
    model.weights().require(config.layout());
    return ClassifierInfo.of(LABELS, Map.of(NSFW, THRESHOLD), config.layout());
  }

  static SafetyChecker load(ModelDirectory model, Device device) {
    Config config = Config.of(model);
    return new SafetyChecker(
        ImageTower.load(
            model,
            config.tower(),
            config.layout(),
            config.preparation(model),
            new WeightLoader(device, DType.F32)),
        device);
  }

  @Override
  public Map<String, Double> scores(RgbImage picture) {
    List<float[]> cosines = cosines(picture);
    double adjustment = 0;
    for (int i = 0; i < SPECIAL; i++) {
      if (rounded(cosines.get(1)[i] - specialThresholds[i] + adjustment) > 0) {
        adjustment = ADJUSTMENT;
      }
    }
    Map<String, Double> scores = new LinkedHashMap<>();
    scores.put(NSFW, Double.NEGATIVE_INFINITY);
    for (int i = 0; i < CONCEPTS; i++) {
      double score = rounded(cosines.get(0)[i] - thresholds[i] + adjustment);
      scores.put(LABELS.get(i + 1), score);
      scores.merge(NSFW, score, Math::max);
    }
    return scores;
  }

  /** The cosines of the concepts, and of the special ones. */
  List<float[]> cosines(RgbImage picture) {
    List<float[]> cosines = new ArrayList<>();
    try (Tensor onDevice = PictureTensor.of(picture, device);
        Tensor embedding = network.read(onDevice)) {
      for (Tensor embeddings : List.of(concepts, special)) {
        try (Tensor each = SCRIPT.tensor("cosines", embedding, embeddings)) {
          cosines.add(PictureTensor.floats(each));
        }
      }
    }
    return cosines;
  }

  private static double rounded(double score) {
    return Double.isFinite(score)
        ? BigDecimal.valueOf(score).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue()
        : score;
  }

  @Override
  public void close() {
    special.close();
    concepts.close();
    network.close();
  }
}
