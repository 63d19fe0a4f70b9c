package io.lightmill.udfs.column;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.SamplingEfficiency;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/**
 * The registry of request columns: every column of a prompt table that says what to draw. All other
 * columns pass through to the manifest.
 *
 * <p>A new column is an entry of {@link #ALL} and a field of {@link ImageRequest}; tables, job
 * defaults, the plan, the manifest and the identity of images follow from its entry. So that images
 * drawn before keep their identity, its {@link RequestColumn.Builder#identity} leaves out the value
 * that draws as before.
 */
public final class RequestColumns {

  private static final int MAX_STEPS = 1000;
  private static final int MAX_IMAGES_PER_PROMPT = 64;

  public static final RequestColumn<String> ID =
      RequestColumn.named("id", ColumnType.TEXT)
          .required(ErrorCode.VALUE_INVALID, "id is empty; give every row an id of its own")
          .build();

  public static final RequestColumn<String> PROMPT =
      RequestColumn.named("prompt", ColumnType.TEXT)
          .required(ErrorCode.PROMPT_MISSING, "prompt is empty; say what to draw")
          .check(ColumnCheck::decoded)
          .field(ImageRequest::prompt, ImageRequest.Builder::prompt)
          .build();

  public static final RequestColumn<String> NEGATIVE_PROMPT =
      RequestColumn.named("negative_prompt", ColumnType.TEXT)
          .otherNames("negative")
          .check(ColumnCheck::decoded)
          .field(
              request -> request.negativePrompt().orElse(null),
              ImageRequest.Builder::negativePrompt)
          .option(
              "negative-prompt",
              "TEXT",
              "Negative prompt of rows that have none; has an effect with guidance above 1.")
          .build();

  public static final RequestColumn<Integer> WIDTH =
      RequestColumn.named("width", ColumnType.WHOLE_NUMBER)
          .check(ColumnCheck::side)
          .fallback(checkpoint -> checkpoint.defaults().width())
          .field(ImageRequest::width, ImageRequest.Builder::width)
          .option("width", "PIXELS", "Width of rows that have none.")
          .build();

  public static final RequestColumn<Integer> HEIGHT =
      RequestColumn.named("height", ColumnType.WHOLE_NUMBER)
          .check(ColumnCheck::side)
          .fallback(checkpoint -> checkpoint.defaults().height())
          .field(ImageRequest::height, ImageRequest.Builder::height)
          .option("height", "PIXELS", "Height of rows that have none.")
          .build();

  public static final RequestColumn<Integer> NUM_INFERENCE_STEPS =
      RequestColumn.named("num_inference_steps", ColumnType.WHOLE_NUMBER)
          .otherNames("steps")
          .check(ColumnCheck.range(PipelineLimits::minInferenceSteps, checkpoint -> MAX_STEPS))
          .fallback(checkpoint -> checkpoint.defaults().numInferenceSteps())
          .field(ImageRequest::numInferenceSteps, ImageRequest.Builder::numInferenceSteps)
          .option("num-inference-steps", "N", "Denoising steps of rows that have none.")
          .build();

  public static final RequestColumn<Double> GUIDANCE_SCALE =
      RequestColumn.named("guidance_scale", ColumnType.NUMBER)
          .check(ColumnCheck::scale)
          .fallback(checkpoint -> checkpoint.defaults().guidanceScale())
          .field(ImageRequest::guidanceScale, ImageRequest.Builder::guidanceScale)
          .option(
              "guidance-scale",
              "SCALE",
              "Guidance of rows that have none: embedded, or classifier-free (Stable Diffusion 3).")
          .build();

  public static final RequestColumn<Double> TRUE_CFG_SCALE =
      RequestColumn.named("true_cfg_scale", ColumnType.NUMBER)
          .check(ColumnCheck::scale)
          .fallback(checkpoint -> checkpoint.defaults().trueCfgScale())
          .field(ImageRequest::trueCfgScale, ImageRequest.Builder::trueCfgScale)
          .option(
              "true-cfg-scale",
              "SCALE",
              "Classifier-free guidance of rows with a negative prompt; 1 turns it off.")
          .build();

  public static final RequestColumn<Integer> MAX_SEQUENCE_LENGTH =
      RequestColumn.named("max_sequence_length", ColumnType.WHOLE_NUMBER)
          .check(ColumnCheck.range(checkpoint -> 1, PipelineLimits::maxSequenceLength))
          .fallback(checkpoint -> checkpoint.defaults().maxSequenceLength())
          .field(ImageRequest::maxSequenceLength, ImageRequest.Builder::maxSequenceLength)
          .option(
              "max-sequence-length",
              "TOKENS",
              "Prompt tokens that the long text encoder sees; the checkpoint's unless given.")
          .build();

  /** A row without one, or with -1 as in other tools, derives it from the seed of the job. */
  public static final RequestColumn<Long> SEED =
      RequestColumn.named("seed", ColumnType.SEED)
          .field(ImageRequest::seed, (request, seed) -> request.seed(seed == null ? 0 : seed))
          .build();

  public static final RequestColumn<Integer> NUM_IMAGES_PER_PROMPT =
      RequestColumn.named("num_images_per_prompt", ColumnType.WHOLE_NUMBER)
          .check(ColumnCheck.range(checkpoint -> 1, checkpoint -> MAX_IMAGES_PER_PROMPT))
          .fallback(checkpoint -> 1)
          .option(
              "num-images-per-prompt", "N", "Images for each row that has no number; 1 by default.")
          .build();

  public static final RequestColumn<LoraBlend> LORA =
      RequestColumn.named("lora", ColumnType.BLEND)
          .check(ColumnCheck::adapters)
          .fallback(checkpoint -> LoraBlend.NONE)
          .field(ImageRequest::lora, ImageRequest.Builder::lora)
          .identity(RequestColumns::identifyAdapters)
          .option(
              "default-lora",
              "BLEND",
              "Adapters of rows that have none in their column lora, such as brand@0.8+style@0.5.")
          .build();

  /** A manifest column, and no part of what is drawn. */
  public static final RequestColumn<String> REVISES =
      RequestColumn.named("revises", ColumnType.TEXT).check(ColumnCheck::decoded).build();

  /** Rows without one have what the options of the job and its tier give. */
  public static final RequestColumn<SamplingEfficiency> SAMPLING_EFFICIENCY =
      RequestColumn.named("sampling_efficiency", ColumnType.EFFICIENCY)
          .fallback(checkpoint -> SamplingEfficiency.NONE)
          .field(ImageRequest::efficiency, ImageRequest.Builder::efficiency)
          .identity(
              (parts, column, value, adapters) -> {
                if (!value.isNone()) {
                  parts.put(column, value.toString());
                }
              })
          .defaultedByJob()
          .build();

  /** In the order of messages, and of the manifest where it does not say otherwise. */
  public static final List<RequestColumn<?>> ALL =
      List.of(
          ID,
          PROMPT,
          NEGATIVE_PROMPT,
          WIDTH,
          HEIGHT,
          NUM_INFERENCE_STEPS,
          GUIDANCE_SCALE,
          TRUE_CFG_SCALE,
          MAX_SEQUENCE_LENGTH,
          SEED,
          NUM_IMAGES_PER_PROMPT,
          LORA,
          SAMPLING_EFFICIENCY,
          REVISES);

  private RequestColumns() {}

  /** The column of this name, as {@link RequestColumn#name} spells it. */
  public static Optional<RequestColumn<?>> named(String name) {
    return ALL.stream().filter(column -> column.name().equals(name)).findFirst();
  }

  /** The names of all columns, for messages. */
  public static String listed() {
    return ALL.stream().map(RequestColumn::name).collect(Collectors.joining(", "));
  }

  /** The request that the values of a valid row make. */
  public static ImageRequest request(ColumnValues values) {
    ImageRequest.Builder request = ImageRequest.builder(values.of(PROMPT));
    ALL.forEach(column -> put(request, column, values));
    return request.build();
  }

  private static <T> void put(
      ImageRequest.Builder request, RequestColumn<T> column, ColumnValues values) {
    column.put(request, values.of(column));
  }

  /** The request of a row that has all columns of requests as the manifest holds them. */
  public static ImageRequest request(Row row) {
    return request(
        ColumnValues.read(
            new ColumnValues.Reading() {
              @Override
              public <T> T value(RequestColumn<T> column) {
                return column.inRequest() ? column.fromSpark(row) : null;
              }
            }));
  }

  /**
   * Adds every column that decides pixels to the parts of an image's identity.
   *
   * @param adapters digests of the adapters' files, by name
   */
  public static void identify(
      ImageRequest request, Map<String, String> adapters, Map<String, Object> parts) {
    ALL.forEach(column -> column.identify(request, adapters, parts));
  }

  /** The name of an adapter does not decide pixels; its file does. */
  private static void identifyAdapters(
      Map<String, Object> parts, String column, LoraBlend blend, Map<String, String> digests) {
    if (blend.isEmpty()) {
      return;
    }
    List<Map<String, Object>> adapters = new ArrayList<>();
    blend
        .weights()
        .forEach(
            (name, weight) -> adapters.add(Map.of("digest", digests.get(name), "weight", weight)));
    adapters.sort(Comparator.comparing(adapter -> adapter.get("digest").toString()));
    parts.put(column, adapters);
  }
}
