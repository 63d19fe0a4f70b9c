package io.lightmill.pipeline.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A file of a tokenizer directory; whatever is wrong with it is said in its name.
 *
 * @param path of the file, which may be missing
 */
record TokenizerFile(Path path) {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  boolean exists() {
    return Files.isRegularFile(path);
  }

  ObjectNode json() {
    try {
      JsonNode node = MAPPER.readTree(Files.readAllBytes(path));
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw damaged("does not hold a JSON object");
    } catch (JsonProcessingException e) {
      throw damaged("is not valid JSON (" + e.getOriginalMessage() + ")", e);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  Optional<ObjectNode> jsonIfExists() {
    return exists() ? Optional.of(json()) : Optional.empty();
  }

  List<String> lines() {
    try {
      return Files.readAllLines(path);
    } catch (CharacterCodingException e) {
      throw damaged("is not UTF-8 text", e);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  byte[] bytes() {
    try {
      return Files.readAllBytes(path);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /** The failure of a file whose content is not what it should be. */
  LightmillException damaged(String fault) {
    return damaged(fault, null);
  }

  LightmillException damaged(String fault, Throwable cause) {
    return new LightmillException(
        ErrorCode.CHECKPOINT_INVALID,
        "%s %s; fetch this file of the checkpoint again.".formatted(path, fault),
        cause);
  }

  private LightmillException unreadable(IOException cause) {
    String message =
        exists()
            ? "%s cannot be read (%s); check its permissions and the disk.".formatted(path, cause)
            : "%s is missing; fetch the checkpoint again, with all files of this directory."
                .formatted(path);
    return new LightmillException(ErrorCode.CHECKPOINT_INVALID, message, cause);
  }
}
