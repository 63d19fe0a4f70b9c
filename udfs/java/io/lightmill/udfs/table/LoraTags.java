package io.lightmill.udfs.table;

import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.LoraBlend;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt with adapters in the form of other tools, {@code <lora:name:0.8>}.
 *
 * @param prompt without the adapters
 * @param blend of the adapters, as {@link LoraBlend#parse} reads it; empty for none
 */
record LoraTags(String prompt, String blend) {

  private static final String MARK = "<lora:";
  private static final Pattern TAG = Pattern.compile("\\s?<lora:([^<>]*)>");

  static LoraTags of(String text) {
    if (text == null || !text.contains(MARK)) {
      return new LoraTags(text, "");
    }
    List<String> parts = new ArrayList<>();
    Matcher tag = TAG.matcher(text);
    while (tag.find()) {
      parts.add(tag.group(1).replaceFirst(":", "@"));
    }
    return parts.isEmpty()
        ? new LoraTags(text, "")
        : new LoraTags(InvisibleCharacters.stripped(tag.replaceAll("")), String.join("+", parts));
  }

  /**
   * The adapters of the prompt beside those of the row.
   *
   * @param given text of the column {@code lora}; null or blank if the row has none
   * @param otherwise adapters of rows that have none
   */
  String with(String given, LoraBlend otherwise) {
    String base = given == null || given.isBlank() ? otherwise.toString() : given.strip();
    return base.isEmpty() || base.equals(LoraBlend.NONE_NAMED) ? blend : base + "+" + blend;
  }
}
