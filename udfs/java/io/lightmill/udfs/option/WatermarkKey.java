package io.lightmill.udfs.option;

import java.io.Serializable;
import java.util.Optional;

/** The key of the watermark, which may be a secret: its text and the run record do not have it. */
public record WatermarkKey(String value) implements Serializable {

  static final OptionType<WatermarkKey> TYPE =
      OptionType.of(
          "the key itself, which run records do not contain",
          text ->
              text.isBlank() || text.equals(Redaction.REDACTED)
                  ? Optional.empty()
                  : Optional.of(new WatermarkKey(text)),
          key -> Redaction.REDACTED);

  @Override
  public String toString() {
    return Redaction.REDACTED;
  }
}
