package io.lightmill.pipeline.classify;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How an image processor of transformers prepares a picture: {@code preprocessor_config.json}.
 * Pictures are resized as Pillow resizes them, bit for bit, on any device.
 *
 * @param resize size or length of the shortest edge; empty to keep the picture's size
 * @param kernel {@code bilinear}, {@code bicubic} or {@code lanczos}
 * @param crop the part of the middle that is kept; empty for all of it
 * @param factor of the pixels' values
 * @param mean of the channels, which is subtracted
 * @param deviation of the channels, by which the values are divided
 */
record PixelPreparation(
    Optional<Resize> resize,
    String kernel,
    Optional<Size> crop,
    double factor,
    List<Float> mean,
    List<Float> deviation) {

  private static final ScriptModule SCRIPT = ScriptModule.of("pixels", "Pixels");

  /** Notes of the libraries, and how Python holds pictures; all pictures here are RGB. */
  private static final Set<String> IDLE =
      Set.of(
          "image_processor_type",
          "feature_extractor_type",
          "processor_class",
          "do_convert_rgb",
          "auto_map",
          "data_format",
          "default_to_square",
          "input_data_format",
          "device",
          "return_tensors",
          "crop_pct");

  private static final int CHANNELS = 3;

  /** The kernels by Pillow's numbers. */
  private static final List<String> KERNELS = List.of("nearest", "lanczos", "bilinear", "bicubic");

  /** Height and width in pixels. */
  record Size(int height, int width) {}

  /**
   * A size to resize to.
   *
   * @param exact empty if only the shortest edge is given
   * @param shortestEdge 0 if the size is exact
   */
  record Resize(Optional<Size> exact, int shortestEdge) {

    Size of(Size picture) {
      return exact.orElseGet(
          () -> {
            int shortest = Math.min(picture.height, picture.width);
            int longest = Math.max(picture.height, picture.width);
            int other = (int) ((long) shortestEdge * longest / shortest);
            return picture.height <= picture.width
                ? new Size(shortestEdge, other)
                : new Size(other, shortestEdge);
          });
    }
  }

  /** What the processor of a kind of model does where the file says nothing. */
  @SuppressWarnings({
    "ImmutableEnumChecker",
    "FloatingPointLiteralPrecision"
  }) // as OpenAI wrote them
  enum Defaults {
    VIT(false, "bilinear", List.of(0.5f, 0.5f, 0.5f), List.of(0.5f, 0.5f, 0.5f)),
    SIGLIP(false, "bicubic", List.of(0.5f, 0.5f, 0.5f), List.of(0.5f, 0.5f, 0.5f)),
    CLIP(
        true,
        "bicubic",
        List.of(0.48145466f, 0.4578275f, 0.40821073f),
        List.of(0.26862954f, 0.26130258f, 0.27577711f));

    private final boolean crops;
    private final String kernel;
    private final List<Float> mean;
    private final List<Float> deviation;

    Defaults(boolean crops, String kernel, List<Float> mean, List<Float> deviation) {
      this.crops = crops;
      this.kernel = kernel;
      this.mean = mean;
      this.deviation = deviation;
    }
  }

  /**
   * Reads the file of a model.
   *
   * @param side width and height of the pictures that the network takes
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if there is none, or it makes
   *     pictures of another size
   */
  static PixelPreparation of(ModelDirectory model, Defaults defaults, int side) {
    ComponentConfig file =
        model
            .settings(
                "preprocessor_config.json",
                "../feature_extractor/preprocessor_config.json", // of a diffusers checkpoint
                "processor_config.json")
            .orElseThrow(
                () ->
                    new LightmillException(
                        ErrorCode.CHECKPOINT_INVALID,
                        "%s has no preprocessor_config.json, which says how pictures are prepared; fetch the checkpoint again, with all its files"
                            .formatted(model.directory())));
    PixelPreparation preparation =
        read(file.object("image_processor").orElse(file), defaults, side);
    Size size =
        preparation
            .crop()
            .or(() -> preparation.resize().flatMap(Resize::exact))
            .orElseThrow(() -> file.wrong("size", "a height and a width, or do_center_crop true"));
    if (size.height() != side || size.width() != side) {
      throw file.wrong(
          preparation.crop().isPresent() ? "crop_size" : "size",
          "%d by %d, which the network takes (image_size in %s)"
              .formatted(side, side, ModelDirectory.CONFIG));
    }
    return preparation;
  }

  private static PixelPreparation read(ComponentConfig file, Defaults defaults, int side) {
    Optional<Resize> resize =
        file.flag("do_resize", true) ? Optional.of(resize(file, defaults, side)) : Optional.empty();
    Optional<Size> crop =
        file.flag("do_center_crop", defaults.crops)
            ? Optional.of(size(file, "crop_size", side))
            : Optional.empty();
    boolean rescales = file.flag("do_rescale", true);
    double factor = file.number("rescale_factor", 1 / 255.0);
    boolean normalises = file.flag("do_normalize", true);
    List<Float> mean = channels(file, "image_mean", defaults.mean);
    List<Float> deviation = channels(file, "image_std", defaults.deviation);
    file.requireFlag("do_pad", false);
    String kernel = kernel(file, defaults);
    file.has("size");
    file.has("crop_size");
    file.requireAllRead(IDLE);
    return new PixelPreparation(
        resize,
        kernel,
        crop,
        rescales ? factor : 1,
        normalises ? mean : List.of(0f, 0f, 0f),
        normalises ? deviation : List.of(1f, 1f, 1f));
  }

  /** One number is the shortest edge for CLIP, and a square for the others. */
  private static Resize resize(ComponentConfig file, Defaults defaults, int side) {
    JsonNode size = file.json().path("size");
    if (size.isObject() && size.hasNonNull("shortest_edge")) {
      return shortest(file.object("size").orElseThrow().count("shortest_edge"), file, side);
    } else if (!size.isObject() && defaults.crops) {
      return shortest(file.count("size", side), file, side);
    }
    return new Resize(Optional.of(size(file, "size", side)), 0);
  }

  private static Resize shortest(int edge, ComponentConfig file, int side) {
    if (edge < side) {
      throw file.wrong("size", "at least %d, the size of the crop".formatted(side));
    }
    return new Resize(Optional.empty(), edge);
  }

  private static Size size(ComponentConfig file, String key, int side) {
    if (!file.json().path(key).isObject()) {
      int edge = file.count(key, side);
      return new Size(edge, edge);
    }
    ComponentConfig size = file.object(key).orElseThrow();
    return new Size(size.count("height"), size.count("width"));
  }

  private static List<Float> channels(ComponentConfig file, String key, List<Float> absent) {
    return file.has(key) ? file.floats(key, CHANNELS) : absent;
  }

  private static String kernel(ComponentConfig file, Defaults defaults) {
    int number = file.integer("resample", KERNELS.indexOf(defaults.kernel));
    if (number < 1 || number >= KERNELS.size()) {
      throw file.wrong("resample", "1 (lanczos), 2 (bilinear) or 3 (bicubic)");
    }
    return KERNELS.get(number);
  }

  /**
   * Prepares a picture.
   *
   * @param picture {@code [height, width, 3]} of type U8; stays the caller's
   * @return {@code [1, 3, height, width]} on the picture's device, to be closed by the caller
   */
  Tensor prepare(Tensor picture, Device device) {
    long[] shape = picture.shape();
    Size given = new Size((int) shape[0], (int) shape[1]);
    Size resized = resize.map(to -> to.of(given)).orElse(given);
    Size kept = crop.orElse(resized);
    try (Tensor means = Tensor.of(floats(mean), device, DType.F32);
        Tensor deviations = Tensor.of(floats(deviation), device, DType.F32)) {
      return SCRIPT.tensor(
          "prepare",
          picture,
          new long[] {resized.height, resized.width},
          kernel,
          new long[] {
            (resized.height - kept.height) / 2,
            (resized.width - kept.width) / 2,
            kept.height,
            kept.width
          },
          factor,
          means,
          deviations);
    }
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }
}
