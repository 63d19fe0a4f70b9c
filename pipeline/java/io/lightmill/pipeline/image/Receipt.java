package io.lightmill.pipeline.image;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.commons.text.StringEscapeUtils;

/**
 * The parameters that produced an image. Every image object contains its receipt, so that the image
 * can be generated again from the object alone.
 *
 * @param request with all values set
 * @param guidance that the pipeline uses
 * @param sampler name that the community's tools use, such as {@code Euler}; empty for a hosted
 *     model, of which neither sampler nor steps, guidance and seed are known
 * @param scheduleType name that the community's tools use, such as {@code Simple}
 * @param model name of the checkpoint
 * @param modelDigest of the checkpoint, in hex
 * @param software with its version, such as {@code Lightmill 0.1.0}
 * @param identity canonical JSON of all values that affect the pixels
 */
public record Receipt(
    ImageRequest request,
    ClassifierFreeGuidance guidance,
    String sampler,
    String scheduleType,
    String model,
    String modelDigest,
    String software,
    String identity) {

  /** Number of digits of the digest that the community's tools show. */
  private static final int SHORT_HASH = 10;

  public Receipt {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(guidance, "guidance");
    Objects.requireNonNull(sampler, "sampler");
    Objects.requireNonNull(scheduleType, "scheduleType");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(modelDigest, "modelDigest");
    Objects.requireNonNull(software, "software");
    Objects.requireNonNull(identity, "identity");
  }

  /**
   * The generation parameters in the text form of the Stable Diffusion web UI, which image hosts
   * and other user interfaces read: the prompt, the negative prompt, and one line of settings. The
   * embedded guidance has the name that Forge uses.
   */
  public String parameters() {
    String negative =
        request.negativePrompt().filter(text -> !text.isEmpty()).orElse("").replace('\0', ' ');
    return request.prompt().replace('\0', ' ')
        + (negative.isEmpty() ? "" : "\nNegative prompt: " + negative)
        + "\n"
        + settings();
  }

  /** The last line of {@link #parameters()}. */
  String settings() {
    List<String> settings = new ArrayList<>();
    if (!sampler.isEmpty()) {
      addSampling(settings);
    }
    settings.add("Size: %dx%d".formatted(request.width(), request.height()));
    settings.add("Model hash: " + modelDigest.substring(0, shortHash()));
    settings.add("Model: " + quoted(model));
    if (!request.lora().isEmpty()) {
      settings.add("Lora: " + quoted(request.lora().toString()));
    }
    if (!request.efficiency().isNone()) {
      settings.add("Sampling efficiency: " + quoted(request.efficiency().toString()));
    }
    settings.add("Version: " + quoted(software));
    return String.join(", ", settings);
  }

  private void addSampling(List<String> settings) {
    settings.add("Steps: " + request.numInferenceSteps());
    settings.add("Sampler: " + quoted(sampler));
    settings.add("Schedule type: " + quoted(scheduleType));
    settings.add("CFG scale: " + plain(guidance.guides(request) ? guidance.scale(request) : 1));
    if (guidance == ClassifierFreeGuidance.TRUE_CFG_SCALE && request.guidanceScale() > 0) {
      settings.add("Distilled CFG Scale: " + plain(request.guidanceScale()));
    }
    settings.add("Seed: " + request.seed());
  }

  private int shortHash() {
    return Math.min(SHORT_HASH, modelDigest.length());
  }

  /** A JSON string if the plain text contains characters that would end the value. */
  private static String quoted(String value) {
    boolean plain = value.chars().noneMatch(c -> c < ' ' || ",:\"\\".indexOf(c) >= 0);
    return plain ? value : '"' + StringEscapeUtils.escapeJson(value) + '"';
  }

  private static String plain(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
