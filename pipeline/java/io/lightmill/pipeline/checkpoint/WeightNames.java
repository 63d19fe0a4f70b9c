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
 * The file names of a component's weights: {@code model.safetensors}, {@code
 * model.safetensors.index.json}, and with a variant {@code model.fp16.safetensors} and, depending
 * on the release of diffusers and transformers, {@code model.safetensors.index.fp16.json} or {@code
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
   * The file that holds the weights, or the index of its shards.
   *
   * @param wanted variant; if the component lacks it, its plain weights are found
   * @return empty if the directory has no safetensors weights
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it has no plain weights, but
   *     several variants, none of them requested
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
          "%s has its weights only as the variants %s; name one (--variant)"
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
    return names.map(directory::resolve).filter(RegularFile::exists).findFirst();
  }

  /** The variants in the directory. */
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
