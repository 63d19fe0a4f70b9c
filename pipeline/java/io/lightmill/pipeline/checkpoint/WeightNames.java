package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a component's weights are called: {@code model.safetensors}, {@code
 * model.safetensors.index.json}, and with a variant {@code model.fp16.safetensors} and, by release
 * of diffusers and transformers, {@code model.safetensors.index.fp16.json} or {@code
 * model.fp16.safetensors.index.json}.
 *
 * @param directory of the component
 */
record WeightNames(Path directory) {

  private static final List<String> STEMS = List.of("diffusion_pytorch_model", "model");

  private static final Pattern VARIANT =
      Pattern.compile(
          "(?:diffusion_pytorch_model|model)"
              + "(?:\\.(\\w+)\\.safetensors(?:\\.index\\.json)?"
              + "|\\.safetensors\\.index\\.(\\w+)\\.json"
              + "|\\.safetensors\\.(\\w+)\\.index\\.json)");

  /**
   * The file that holds the weights, or the index of those that do.
   *
   * @param wanted variant; a component that lacks it has its plain weights read
   * @return empty if the directory holds no safetensors weights
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it holds variants alone, and
   *     several, of which none is wanted
   */
  Optional<Path> find(Optional<String> wanted) throws IOException {
    Optional<Path> chosen = wanted.flatMap(this::of);
    if (chosen.isPresent()) {
      return chosen;
    }
    Optional<Path> plain =
        first(STEMS.stream().flatMap(s -> Stream.of(s + WeightFiles.INDEX, s + ".safetensors")));
    if (plain.isPresent()) {
      return plain;
    }
    Set<String> variants = variants();
    if (variants.size() > 1) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s holds its weights as the variants %s alone; name one (--variant)"
              .formatted(directory, String.join(", ", variants)));
    }
    return variants.stream().findFirst().flatMap(this::of);
  }

  private Optional<Path> of(String variant) {
    return first(
        STEMS.stream()
            .flatMap(
                stem ->
                    Stream.of(
                            "%s.%s.safetensors.index.json",
                            "%s.safetensors.index.%s.json",
                            "%s.safetensors.%s.index.json",
                            "%s.%s.safetensors")
                        .map(name -> name.formatted(stem, variant))));
  }

  private Optional<Path> first(Stream<String> names) {
    return names.map(directory::resolve).filter(Files::exists).findFirst();
  }

  /** The variants that the directory holds. */
  Set<String> variants() throws IOException {
    Set<String> variants = new TreeSet<>();
    try (Stream<Path> files = Files.list(directory)) {
      files.forEach(
          file -> {
            Matcher name = VARIANT.matcher(file.getFileName().toString());
            if (name.matches()) {
              variants.add(
                  Stream.of(1, 2, 3)
                      .map(name::group)
                      .filter(group -> group != null)
                      .findFirst()
                      .orElseThrow());
            }
          });
    }
    variants.remove("index"); // model.safetensors.index.json
    return variants;
  }
}
