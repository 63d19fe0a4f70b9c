package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import java.util.Map;

/**
 * A network that gives scores to the labels of a picture: {@code ViTForImageClassification} of
 * transformers, or {@code StableDiffusionSafetyChecker} of diffusers. It computes in 32-bit floats,
 * one picture at a time, so that a score depends on its own picture only. Thread-safe.
 */
public interface ImageClassifier extends AutoCloseable {

  /** The scores by label: probabilities, or for a safety checker how far a concept is exceeded. */
  Map<String, Double> scores(RgbImage picture);

  /** Frees the weights. */
  @Override
  void close();

  /**
   * What a checkpoint has; reads configs and the headers of weights.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} or {@code WEIGHTS_INVALID} if it is
   *     damaged, with {@code PIPELINE_UNKNOWN} if it is no image classifier
   */
  static ClassifierInfo describe(ModelDirectory model) {
    return switch (model.architecture()) {
      case VitClassifier.ARCHITECTURE -> VitClassifier.describe(model);
      case SafetyChecker.ARCHITECTURE -> SafetyChecker.describe(model);
      default -> throw unknown(model);
    };
  }

  /** Loads the weights onto a device. */
  static ImageClassifier load(ModelDirectory model, Device device) {
    return switch (model.architecture()) {
      case VitClassifier.ARCHITECTURE -> VitClassifier.load(model, device);
      case SafetyChecker.ARCHITECTURE -> SafetyChecker.load(model, device);
      default -> throw unknown(model);
    };
  }

  private static LightmillException unknown(ModelDirectory model) {
    return new LightmillException(
        ErrorCode.PIPELINE_UNKNOWN,
        "the checkpoint %s is of the architecture '%s'; image classifiers are %s and %s"
            .formatted(
                model.directory(),
                model.architecture(),
                VitClassifier.ARCHITECTURE,
                SafetyChecker.ARCHITECTURE));
  }
}
