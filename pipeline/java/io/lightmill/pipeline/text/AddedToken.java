package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.util.OptionalInt;

/**
 * A token that is matched in the text before the vocabulary. Its properties have the names that
 * tokenizer files use.
 *
 * @param id in its file; empty for the id in the vocabulary, or else the next free id
 * @param content the text that it matches
 * @param singleWord whether it matches only between word boundaries
 * @param lstrip whether it includes the white space before it
 * @param rstrip whether it includes the white space after it
 * @param normalized whether it is matched in the normalized text instead of the raw one
 * @param special whether it has a meaning to the model
 */
record AddedToken(
    OptionalInt id,
    String content,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized,
    boolean special) {

  /** A special token of which a file stores only the text. */
  static AddedToken special(String content) {
    return new AddedToken(OptionalInt.empty(), content, false, false, false, false, true);
  }

  /** A token of {@code added_tokens.json}, which holds no properties. */
  static AddedToken legacy(int id, String content, boolean special) {
    return new AddedToken(OptionalInt.of(id), content, false, false, false, !special, special);
  }

  /** An entry of {@code added_tokens_decoder}. */
  static AddedToken stored(int id, ComponentConfig json) {
    return of(OptionalInt.of(id), json, json.flag("special", false));
  }

  /** A special token that a file stores as an object. */
  static AddedToken special(ComponentConfig json) {
    return of(OptionalInt.empty(), json, /* special= */ true);
  }

  private static AddedToken of(OptionalInt id, ComponentConfig json, boolean special) {
    return new AddedToken(
        id,
        json.text("content"),
        json.flag("single_word", false),
        json.flag("lstrip", false),
        json.flag("rstrip", false),
        json.flag("normalized", !special),
        special);
  }
}
