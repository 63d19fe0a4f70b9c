package io.lightmill.udfs.option;

import java.util.LinkedHashMap;
import java.util.Map;

/** The options that give a request column its value in rows that have none. */
public final class ColumnOptions {

  private static final OptionType<String> COUNT = OptionType.wholeNumber(1).asText();
  private static final OptionType<String> SCALE = OptionType.finiteNumber(0).asText();

  private static final Map<String, Option<String>> BY_COLUMN = byColumn();

  private ColumnOptions() {}

  /** By the names of the columns, in the order of the help text. */
  public static Map<String, Option<String>> all() {
    return BY_COLUMN;
  }

  private static Map<String, Option<String>> byColumn() {
    Map<String, Option<String>> options = new LinkedHashMap<>();
    options.put("width", option("width", COUNT, "PIXELS", "Width of the images."));
    options.put("height", option("height", COUNT, "PIXELS", "Height of the images."));
    options.put(
        "num_inference_steps",
        option("num-inference-steps", COUNT, "N", "Number of denoising steps."));
    options.put(
        "guidance_scale",
        option(
            "guidance-scale",
            SCALE,
            "SCALE",
            "Embedded guidance, or classifier-free guidance (Stable Diffusion 3)."));
    options.put(
        "true_cfg_scale",
        option(
            "true-cfg-scale",
            SCALE,
            "SCALE",
            "Classifier-free guidance of rows with a negative prompt; 1 turns it off."));
    options.put(
        "negative_prompt",
        option(
            "negative-prompt",
            OptionType.text(),
            "TEXT",
            "What images should not show; has an effect with guidance above 1."));
    options.put(
        "num_images_per_prompt",
        option("num-images-per-prompt", COUNT, "N", "Images to draw for each row; 1 by default."));
    options.put(
        "max_sequence_length",
        option(
            "max-sequence-length",
            COUNT,
            "TOKENS",
            "Prompt tokens that the long text encoder reads."));
    options.put(
        "lora",
        option(
            "default-lora",
            OptionType.text(),
            "BLEND",
            "LoRA adapters with their weights, such as brand@0.8+style@0.5."));
    return options;
  }

  private static Option<String> option(
      String key, OptionType<String> type, String label, String help) {
    return Option.of(key, type, label, OptionGroup.IMAGES, help);
  }
}
