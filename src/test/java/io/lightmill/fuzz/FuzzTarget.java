package io.lightmill.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.commons.io.FileUtils;

/**
 * A parser of files or texts from outside, and what must hold for every input. {@code scripts/fuzz}
 * runs one with a coverage-guided fuzzer; {@link FuzzTargetsTest} runs all on a few inputs.
 */
public interface FuzzTarget {

  /** Messages of errors are read by people and stored in manifests. */
  int MOST_MESSAGE = 20_000;

  /**
   * Parses an input.
   *
   * @throws AssertionError or any other error if a property does not hold
   */
  void run(byte[] input);

  /** Valid inputs, of a few KB in all. */
  List<byte[]> seeds();

  /** All targets, by the names that {@code scripts/fuzz} takes. */
  Map<String, Class<? extends FuzzTarget>> ALL =
      Map.of(
          "safetensors", io.lightmill.pipeline.checkpoint.SafetensorsFuzz.class,
          "tokenizer", io.lightmill.pipeline.text.TokenizerFuzz.class,
          "image", io.lightmill.pipeline.image.ImageFuzz.class,
          "metadata", io.lightmill.pipeline.image.MetadataFuzz.class,
          "c2pa", io.lightmill.pipeline.c2pa.C2paFuzz.class,
          "policy", io.lightmill.pipeline.policy.PolicyFuzz.class,
          "prompt", io.lightmill.pipeline.policy.PromptFuzz.class,
          "jobfile", io.lightmill.jobs.JobFileFuzz.class);

  /** A target by its name. */
  static FuzzTarget named(String name) {
    Class<? extends FuzzTarget> type = ALL.get(name);
    if (type == null) {
      throw new IllegalArgumentException("no target '%s' among %s".formatted(name, ALL.keySet()));
    }
    try {
      return type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Requires something of every input. */
  static void require(boolean holds, String property) {
    if (!holds) {
      throw new AssertionError(property);
    }
  }

  /** A new directory for the files of one process. */
  static Path directory() {
    try {
      Path directory = Files.createTempDirectory("lightmill-fuzz-");
      Thread deletion = new Thread(() -> FileUtils.deleteQuietly(directory.toFile()));
      Runtime.getRuntime().addShutdownHook(deletion);
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a file, or removes it. */
  static void write(Path file, byte[] content) {
    try {
      Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
