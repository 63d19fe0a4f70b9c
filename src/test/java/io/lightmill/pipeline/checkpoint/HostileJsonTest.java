package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.text.PromptTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** JSON that is nested deeply, or whose values are very long, is refused with the file's name. */
class HostileJsonTest {

  private static final String DEEP = "{\"a\": " + "[".repeat(1_000_000);
  private static final String DIGITS = "{\"a\": " + "9".repeat(1_000_000) + "}";
  private static final String NAME = "{\"" + "x".repeat(1_000_000) + "\": 1}";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"deep", "digits"})
  void aConfigIsRefused(String kind) throws IOException {
    Path file = Files.writeString(directory.resolve("config.json"), json(kind));
    refused(() -> ComponentConfig.read(file).count("a", 1), file);
  }

  @ParameterizedTest
  @ValueSource(strings = {"deep", "digits", "name"})
  void anIndexOfACheckpointIsRefused(String kind) throws IOException {
    Path file = Files.writeString(directory.resolve("model_index.json"), json(kind));
    refused(() -> Checkpoint.open(directory), file);
  }

  @ParameterizedTest
  @ValueSource(strings = {"deep", "digits", "name"})
  void aHeaderOfSafetensorsIsRefused(String kind) throws IOException {
    Path file = directory.resolve("model.safetensors");
    Files.write(file, StoredBytes.file(json(kind), new byte[0]));
    refused(() -> SafetensorsFile.open(file), file);
  }

  @ParameterizedTest
  @ValueSource(strings = {"deep", "digits", "name"})
  void anIndexOfShardsIsRefused(String kind) throws IOException {
    Path file = directory.resolve("model.safetensors.index.json");
    Files.writeString(file, json(kind));
    refused(() -> WeightFiles.in(directory, Optional.empty()), file);
  }

  @Test
  void aTokenizerIsRefused() throws IOException {
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"pad_token\": \"a\"}");
    Path file = Files.writeString(directory.resolve("tokenizer.json"), DEEP);
    refused(() -> PromptTokenizer.open(directory).close(), file);
  }

  private static String json(String kind) {
    return switch (kind) {
      case "deep" -> DEEP;
      case "digits" -> DIGITS;
      default -> NAME;
    };
  }

  private static void refused(Runnable reading, Path file) {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(reading::run)
        .withMessageStartingWith(file.toString())
        .matches(e -> e.getMessage().length() <= LightmillException.MOST_CHARACTERS + 1);
  }
}
