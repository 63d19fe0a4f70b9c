package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A single network in transformers' directory layout: {@code config.json}, safetensors weights, and
 * the files of its tokenizer or image processor.
 *
 * @param directory that holds {@code config.json}
 */
public record ModelDirectory(Path directory) {

  public static final String CONFIG = "config.json";

  /** Describes the layout, in messages about anything else. */
  public static final String LAYOUT =
      "a classifier is a directory in transformers' layout: %s, model.safetensors, and the files of its tokenizer or image processor"
          .formatted(CONFIG);

  /** Some 10 labels fill a line; a config with 100,000 is a mistake. */
  private static final int MOST_LABELS = 100_000;

  /**
   * Checks that the directory has a config.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID}
   */
  public ModelDirectory {
    if (!RegularFile.exists(directory.resolve(CONFIG))) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          Files.isDirectory(directory)
              ? "the checkpoint %s has no %s, but %s".formatted(directory, CONFIG, LAYOUT)
              : "the checkpoint %s does not exist as a directory; name an existing one (%s)"
                  .formatted(directory, LAYOUT));
    }
  }

  /** {@code config.json}, read anew: every reader keeps its own account of keys. */
  public ComponentConfig config() {
    return ComponentConfig.read(directory.resolve(CONFIG))
        .withTensors(() -> WeightFiles.tensors(directory, Optional.empty()));
  }

  /** The first class that the config names; empty if it names none. */
  public String architecture() {
    List<String> names = config().names("architectures");
    return names.isEmpty() ? "" : names.get(0);
  }

  /** The settings of the first of these files that exists. */
  public Optional<ComponentConfig> settings(String... names) {
    return Stream.of(names)
        .map(directory::resolve)
        .filter(RegularFile::exists)
        .findFirst()
        .map(ComponentConfig::read);
  }

  /**
   * The labels of a classifier in the order of its outputs: {@code id2label}, else {@code LABEL_0}
   * and so on for {@code num_labels}.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if an id is missing, or two outputs
   *     have the same label
   */
  public static List<String> labels(ComponentConfig config) {
    int declared = config.count("num_labels", 2);
    Optional<ComponentConfig> named = config.object("id2label");
    int count = named.map(labels -> labels.json().size()).orElse(declared);
    if (count > MOST_LABELS) {
      throw config.wrong("num_labels", "at most " + MOST_LABELS);
    }
    List<String> labels =
        Stream.iterate(0, id -> id + 1)
            .limit(count)
            .map(id -> named.map(n -> n.text(String.valueOf(id))).orElse("LABEL_" + id))
            .toList();
    if (labels.stream().distinct().count() < count) {
      throw config.wrong("id2label", "made of different labels");
    }
    return labels;
  }

  /** The weights. */
  public WeightFiles weights() {
    return WeightFiles.in(directory, Optional.empty());
  }

  /** SHA-256, in hex, over the names and contents of all files that affect scores. */
  public String digest() {
    return CheckpointDigest.of(directory);
  }
}
