package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model that is named by its id on the Hugging Face Hub, such as {@code
 * black-forest-labs/FLUX.1-schnell}. Lightmill downloads nothing from the Hub, but reads what the
 * Hub's clients have downloaded into their cache.
 *
 * @param id owner and name
 * @param hub the directory of the cache
 */
record HubModel(String id, Path hub) {

  /** The grammar of the Hub: two names of at most 96 characters. */
  private static final Pattern ID =
      Pattern.compile("[A-Za-z0-9][\\w.-]{0,95}/[A-Za-z0-9][\\w.-]{0,95}");

  static boolean isId(String location) {
    return ID.matcher(location).matches();
  }

  /** The model that a location names; empty if it is a directory or cannot be an id. */
  static Optional<HubModel> of(String location) {
    return of(location, System.getenv(), System.getProperty("user.home"));
  }

  static Optional<HubModel> of(String location, Map<String, String> environment, String home) {
    return isId(location) && !Files.exists(Path.of(location))
        ? Optional.of(new HubModel(location, hub(environment, home)))
        : Optional.empty();
  }

  /** The directory of the cache, by the environment variables of {@code huggingface_hub}. */
  private static Path hub(Map<String, String> environment, String home) {
    return variable(environment, "HF_HUB_CACHE")
        .or(() -> variable(environment, "HUGGINGFACE_HUB_CACHE"))
        .or(() -> variable(environment, "HF_HOME").map(path -> path.resolve("hub")))
        .orElseGet(
            () ->
                variable(environment, "XDG_CACHE_HOME")
                    .orElseGet(() -> Path.of(home == null ? "" : home, ".cache"))
                    .resolve("huggingface/hub"));
  }

  private static Optional<Path> variable(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name)).filter(it -> !it.isBlank()).map(Path::of);
  }

  /**
   * The model's directory in the cache.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if the cache does not have it
   */
  Path cached() {
    Path directory = hub.resolve("models--" + id.replace("/", "--"));
    if (!Files.isDirectory(directory.resolve("snapshots"))) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the checkpoint '%s' does not exist as a directory; if it is a model of the Hugging Face Hub, download it first with 'hf download %1$s --local-dir models/%2$s' and name models/%2$s (the Hub's cache %3$s does not have it)"
              .formatted(id, id.substring(id.indexOf('/') + 1), hub));
    }
    return directory;
  }
}
