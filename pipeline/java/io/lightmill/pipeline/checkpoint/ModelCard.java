package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.SamplingEfficiency;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The usage parameters in a checkpoint's {@code README.md}: the Hub's model card, whose YAML header
 * may give {@code inference.parameters} under the names of diffusers' pipeline arguments.
 *
 * @param settings these parameters; empty if the card gives none
 */
public record ModelCard(ComponentConfig settings) {

  /** A YAML reader takes minutes for a value of 20 MB. */
  private static final int MOST_HEADER = 1 << 18;

  private static final Pattern HEADER =
      Pattern.compile("\\A---\\R(.*?\\R)---(\\R|\\z)", Pattern.DOTALL);

  /** The card beside {@code model_index.json}; without parameters if there is none. */
  public static ModelCard of(Checkpoint checkpoint) {
    Path file = checkpoint.directory().resolve("README.md");
    try {
      Matcher header = HEADER.matcher(RegularFile.exists(file) ? text(file) : "");
      JsonNode yaml =
          header.find()
              ? new YAMLMapper().readTree(bounded(file, header.group(1)))
              : MissingNode.getInstance();
      return new ModelCard(
          new ComponentConfig(
              new ConfigSource(
                  file.toString(),
                  "inference.parameters.",
                  ErrorCode.CHECKPOINT_INVALID,
                  "fix or remove it"),
              yaml.path("inference").path("parameters")));
    } catch (JsonProcessingException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the header of %s is not YAML (%s); fix or remove it"
              .formatted(file, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s cannot be read (%s); check that it is readable UTF-8 text".formatted(file, e),
          e);
    }
  }

  private static String bounded(Path file, String header) {
    if (header.length() > MOST_HEADER) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the header of %s has %d characters, and %d are the most; fix or remove it"
              .formatted(file, header.length(), MOST_HEADER));
    }
    return header;
  }

  private static String text(Path file) throws IOException {
    byte[] bytes = RegularFile.read(file, RegularFile.CONFIG_BYTES, ErrorCode.CHECKPOINT_INVALID);
    return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }

  /** A whole number above 0; empty if the card gives none. */
  public OptionalInt count(String key) {
    return settings.has(key) ? OptionalInt.of(settings.count(key)) : OptionalInt.empty();
  }

  /** Parts that save transformer calls; empty if the card gives none. */
  public Optional<SamplingEfficiency> efficiency(String key) {
    if (!settings.has(key)) {
      return Optional.empty();
    }
    try {
      return Optional.of(SamplingEfficiency.parse(settings.text(key)));
    } catch (LightmillException e) {
      throw settings.wrong(key, "parts of a sampling efficiency, such as sea@0.3");
    }
  }

  /** A number from 0; empty if the card gives none. */
  public OptionalDouble number(String key) {
    if (!settings.has(key)) {
      return OptionalDouble.empty();
    }
    double number = settings.number(key, 0);
    if (!(number >= 0) || number > Float.MAX_VALUE) {
      throw settings.wrong(key, "a number from 0");
    }
    return OptionalDouble.of(number);
  }
}
