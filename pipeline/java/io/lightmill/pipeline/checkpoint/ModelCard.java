package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a checkpoint's {@code README.md} says of its use: the Hub's model card, whose YAML head may
 * give {@code inference.parameters} under the names of diffusers' pipeline arguments.
 *
 * @param file of the card
 * @param parameters missing where the card says nothing
 */
public record ModelCard(Path file, JsonNode parameters) {

  private static final Pattern HEAD =
      Pattern.compile("\\A---\\R(.*?\\R)---(\\R|\\z)", Pattern.DOTALL);

  /** The card beside {@code model_index.json}, empty if there is none. */
  public static ModelCard of(Checkpoint checkpoint) {
    Path file = checkpoint.directory().resolve("README.md");
    try {
      Matcher head = HEAD.matcher(Files.exists(file) ? Files.readString(file) : "");
      JsonNode yaml =
          head.find() ? new YAMLMapper().readTree(head.group(1)) : MissingNode.getInstance();
      return new ModelCard(file, yaml.path("inference").path("parameters"));
    } catch (JsonProcessingException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the head of %s is not YAML (%s); fix or remove it"
              .formatted(file, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID, "%s cannot be read: %s".formatted(file, e), e);
    }
  }

  /** A whole number above 0, empty if the card gives none. */
  public OptionalInt count(String key) {
    JsonNode value = parameters.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return OptionalInt.empty();
    }
    if (!value.isInt() || value.intValue() < 1) {
      throw wrong(key, "a whole number above 0");
    }
    return OptionalInt.of(value.intValue());
  }

  /** A number from 0, empty if the card gives none. */
  public OptionalDouble number(String key) {
    JsonNode value = parameters.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || !(value.doubleValue() >= 0) || value.doubleValue() > Float.MAX_VALUE) {
      throw wrong(key, "a number from 0");
    }
    return OptionalDouble.of(value.doubleValue());
  }

  /** The parameters as a pipeline reads those that are its own; empty if the card gives none. */
  public ComponentConfig settings() {
    return new ComponentConfig(file, parameters);
  }

  private LightmillException wrong(String key, String wanted) {
    return new LightmillException(
        ErrorCode.CHECKPOINT_INVALID,
        "%s gives %s for inference.parameters.%s, which must be %s; fix or remove it"
            .formatted(file, parameters.path(key), key, wanted));
  }
}
