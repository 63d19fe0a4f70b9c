package io.lightmill.pipeline.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.RegularFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A file of a tokenizer directory. All errors name it.
 *
 * @param path of the file, which may be missing
 */
record TokenizerFile(Path path) {

  boolean exists() {
    return RegularFile.exists(path);
  }

  ObjectNode json() {
    return (ObjectNode) ComponentConfig.read(path, RegularFile.VOCABULARY_BYTES).json();
  }

  Optional<ObjectNode> jsonIfExists() {
    return exists() ? Optional.of(json()) : Optional.empty();
  }

  List<String> lines() {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes()))
          .toString()
          .lines()
          .toList();
    } catch (CharacterCodingException e) {
      throw damaged("is not UTF-8 text", e);
    }
  }

  byte[] bytes() {
    try {
      return RegularFile.read(path, RegularFile.VOCABULARY_BYTES, ErrorCode.CHECKPOINT_INVALID);
    } catch (IOException e) {
      throw RegularFile.unreadable(path, e);
    }
  }

  /**
   * The tokens of a text, by the tokenizer that this file has.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it reads some texts only
   */
  Encoding encode(HuggingFaceTokenizer tokenizer, String text) {
    try {
      return tokenizer.encode(
          text, /* addSpecialTokens= */ true, /* withOverflowingTokens= */ false);
    } catch (RuntimeException e) {
      if (e.getClass() == RuntimeException.class) { // of the native code
        throw damaged("is a tokenizer that cannot read every text (" + e.getMessage() + ")", e);
      }
      throw e;
    }
  }

  /** The error for a file with invalid content. */
  LightmillException damaged(String fault) {
    return damaged(fault, null);
  }

  LightmillException damaged(String fault, Throwable cause) {
    return new LightmillException(
        ErrorCode.CHECKPOINT_INVALID,
        "%s %s; fetch this file of the checkpoint again".formatted(path, fault),
        cause);
  }
}
