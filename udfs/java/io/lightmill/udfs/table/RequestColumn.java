package io.lightmill.udfs.table;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The columns of a prompt table that say what to draw; all others pass through. */
public enum RequestColumn {
  ID,
  PROMPT,
  NEGATIVE_PROMPT,
  WIDTH,
  HEIGHT,
  NUM_INFERENCE_STEPS,
  GUIDANCE_SCALE,
  TRUE_CFG_SCALE,
  MAX_SEQUENCE_LENGTH,
  SEED,
  NUM_IMAGES_PER_PROMPT,
  LORA;

  /** As tables and messages spell it. */
  public String columnName() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<RequestColumn> named(String name) {
    return Arrays.stream(values()).filter(c -> c.columnName().equals(name)).findFirst();
  }

  static String listed() {
    return Arrays.stream(values()).map(RequestColumn::columnName).collect(Collectors.joining(", "));
  }
}
