package io.lightmill.udfs.playground;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.run.TextRequests;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A loaded model, and what its page asks of it. */
public final class Playground implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Playground.class);

  /** Of all settings together. */
  private static final int MOST_IMAGES = 16;

  private static final double NANOS_PER_SECOND = 1e9;

  private final TextRequests requests;
  private final Drawings drawings;
  private final List<Map<String, String>> rows;

  private Playground(TextRequests requests, Drawings drawings, List<Map<String, String>> rows) {
    this.requests = requests;
    this.drawings = drawings;
    this.rows = rows;
  }

  /**
   * Loads the model that the options name.
   *
   * @throws LightmillException if an option cannot be used
   */
  public static Playground open(GenerationOptions options) {
    List<Map<String, String>> rows =
        options.find(Options.INPUT).map(ExampleRows::of).orElse(List.of());
    TextRequests requests = TextRequests.open(options);
    requests.plan(Map.of("prompt", "a test"), Optional.empty()); // checks the defaults
    return new Playground(
        requests, new Drawings(requests.load(), options.get(ModelOptions.THREADS_PER_IMAGE)), rows);
  }

  /** What the page shows before anything is drawn, for JSON. */
  public Map<String, Object> setup() {
    PipelineLimits limits = requests.checkpoint().limits();
    GenerationOptions options = requests.options();
    Map<String, String> defaults = new LinkedHashMap<>();
    defaults.put("width", String.valueOf(limits.defaults().width()));
    defaults.put("height", String.valueOf(limits.defaults().height()));
    defaults.put("num_inference_steps", String.valueOf(limits.defaults().numInferenceSteps()));
    defaults.put("guidance_scale", String.valueOf(limits.defaults().guidanceScale()));
    defaults.put("true_cfg_scale", String.valueOf(limits.defaults().trueCfgScale()));
    defaults.putAll(options.columnDefaults(limits));
    Map<String, Object> setup = new LinkedHashMap<>();
    setup.put("model", Redaction.location(options.get(ModelOptions.CHECKPOINT)));
    setup.put("pipeline", requests.checkpoint().model().pipelineClass());
    setup.put("device", requests.device().name());
    setup.put("policy", requests.policy().map(policy -> policy.location()).orElse("none"));
    setup.put("guidance", limits.guidance().name());
    setup.put("multiple", limits.sizeMultiple());
    setup.put("maxSide", limits.maxSide());
    setup.put("defaults", defaults);
    setup.put("adapters", List.copyOf(requests.checkpoint().model().adapters().keySet()));
    setup.put("template", options.find(Options.PROMPT_TEMPLATE).orElse(""));
    setup.put("rows", rows);
    return setup;
  }

  /** An image of a request, and the settings that it is drawn with. */
  private record Picture(int setting, int variant, TextRequests.Planned planned) {}

  /**
   * Draws the images of a request.
   *
   * @param request whose invalid and blocked rows are events, too
   * @param events receives what happens, for JSON, on the calling thread; what it throws cancels
   *     the request
   */
  public void draw(DrawRequest request, Consumer<Map<String, Object>> events) {
    try (Drawings.Request drawing = drawings.request(request.id())) {
      List<Picture> pictures = planned(request);
      events.accept(
          Map.of("event", "planned", "pictures", pictures.size(), "ahead", drawings.size() - 1));
      for (int i = 0; i < pictures.size(); i++) {
        draw(request, drawing, i, pictures.get(i), events);
      }
      events.accept(Map.of("event", "done"));
    } catch (CancellationException e) {
      events.accept(Map.of("event", "cancelled"));
    } catch (LightmillException e) {
      events.accept(Map.of("event", "refused", "message", e.getMessage()));
    }
  }

  private List<Picture> planned(DrawRequest request) {
    List<Picture> pictures = new ArrayList<>();
    for (int setting = 0; setting < request.settings().size(); setting++) {
      List<TextRequests.Planned> images =
          requests.plan(request.settings().get(setting), request.template());
      for (int variant = 0; variant < images.size(); variant++) {
        pictures.add(new Picture(setting, variant, images.get(variant)));
      }
    }
    if (pictures.size() > MOST_IMAGES) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the page requests %d images; %d are the most at a time"
              .formatted(pictures.size(), MOST_IMAGES));
    }
    return pictures;
  }

  private void draw(
      DrawRequest request,
      Drawings.Request drawing,
      int place,
      Picture picture,
      Consumer<Map<String, Object>> events) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("picture", place);
    result.put("setting", picture.setting());
    result.put("variant", picture.variant());
    result.put("flags", picture.planned().flags());
    try {
      picture
          .planned()
          .refusal()
          .ifPresent(
              refusal -> {
                throw refusal;
              });
      ImageRequest image = picture.planned().request().orElseThrow();
      int steps = image.numInferenceSteps();
      events.accept(Map.of("event", "step", "picture", place, "step", 0, "steps", steps));
      long start = System.nanoTime();
      RgbImage drawn =
          drawing.draw(
              image,
              step ->
                  events.accept(
                      Map.of("event", "step", "picture", place, "step", step, "steps", steps)));
      result.put("event", "drawn");
      result.put("seconds", (System.nanoTime() - start) / NANOS_PER_SECOND);
      result.put("file", requests.file(image, drawn)); // Jackson writes bytes in Base64
      result.put("type", requests.options().get(Options.FORMAT).contentType());
      result.put("seed", Long.toString(image.seed()));
      result.put("width", image.width());
      result.put("height", image.height());
      result.put("prompt", image.prompt());
      result.put(
          "row",
          TableTexts.row(
              image,
              picture.planned().imageId().orElseThrow(),
              request.settings().get(picture.setting()),
              request.template().isPresent()));
      result.put("job", TableTexts.jobFile(requests.options(), request.template()));
    } catch (LightmillException e) {
      result.put("event", e.code() == ErrorCode.PROMPT_BLOCKED ? "blocked" : "failed");
      result.put("message", e.getMessage());
    } catch (CancellationException | UncheckedIOException e) {
      throw e;
    } catch (RuntimeException e) {
      LOG.error("A picture cannot be drawn", e);
      result.put("event", "failed");
      result.put("message", e.toString());
    }
    events.accept(result);
  }

  /**
   * Reads a row that was pasted: a CSV header and a line, or a JSON object.
   *
   * @return its cells by column
   * @throws LightmillException with {@code INPUT_INVALID} if the text is neither
   */
  public Map<String, String> pasted(String text) {
    return ExampleRows.pasted(text);
  }

  /** Cancels a request; none if there is none with this id. */
  public void cancel(String id) {
    drawings.cancel(id);
  }

  @Override
  public void close() {
    drawings.close();
  }
}
