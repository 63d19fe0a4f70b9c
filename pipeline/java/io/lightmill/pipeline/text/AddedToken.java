package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.OptionalInt;

/**
 * A token that is looked for in the text before the vocabulary is, under the names that tokenizers
 * files give its properties.
 *
 * @param id that its file states; empty for the one of the vocabulary, or the next free one
 * @param content the text it stands for
 * @param singleWord match between word boundaries only
 * @param lstrip swallow white space before it
 * @param rstrip swallow white space after it
 * @param normalized look for it in the normalized text, not in the raw one
 * @param special has a meaning to the model
 */
record AddedToken(
    OptionalInt id,
    String content,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized,
    boolean special) {

  /** A token that a file names by its text alone. */
  static AddedToken special(String content) {
    return new AddedToken(OptionalInt.empty(), content, false, false, false, false, true);
  }

  /** A token of {@code added_tokens.json}, which knows no properties. */
  static AddedToken legacy(int id, String content, boolean special) {
    return new AddedToken(OptionalInt.of(id), content, false, false, false, !special, special);
  }

  /** An entry of {@code added_tokens_decoder}. */
  static AddedToken stored(int id, JsonNode node) {
    boolean special = node.path("special").asBoolean(false);
    return of(OptionalInt.of(id), node, special);
  }

  /** A value of {@code special_tokens_map.json}: text alone, or an object. */
  static AddedToken named(JsonNode node) {
    return node.isTextual()
        ? special(node.textValue())
        : of(OptionalInt.empty(), node, /* special= */ true);
  }

  private static AddedToken of(OptionalInt id, JsonNode node, boolean special) {
    return new AddedToken(
        id,
        node.path("content").asText(),
        node.path("single_word").asBoolean(false),
        node.path("lstrip").asBoolean(false),
        node.path("rstrip").asBoolean(false),
        node.path("normalized").asBoolean(!special),
        special);
  }
}
