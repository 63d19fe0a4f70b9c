package io.lightmill.pipeline.verify;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A recorded tensor that verification compares. The names are those of all families.
 *
 * @param kind of it
 * @param words for the report
 * @param tolerance at which it holds
 */
record Quantity(Kind kind, String words, Tolerance tolerance) {

  private static final Pattern NAME =
      Pattern.compile(
          "tok\\.(?<tokenizer>\\w+)\\.(?<tokens>\\d+)\\.input_ids"
              + "|te\\.(?<encoder>\\w+)\\.(?<text>\\d+)\\.(?<output>.+)"
              + "|tr\\.(?<call>\\d+)\\.out(\\.(?<part>\\d+))?"
              + "|latents\\.(?<step>\\d+)"
              + "|(?<schedule>sigmas|timesteps)"
              + "|image");

  /** Empty for tensors that others imply: inputs, masks, input and output of the VAE. */
  static Optional<Quantity> of(String name, ReferenceCase reference) {
    Matcher matcher = NAME.matcher(name);
    return matcher.matches() ? Optional.of(of(matcher, reference)) : Optional.empty();
  }

  private static Quantity of(Matcher name, ReferenceCase reference) {
    if (name.group("tokenizer") != null) {
      String words =
          "token ids, %s, call %s".formatted(name.group("tokenizer"), name.group("tokens"));
      return new Quantity(Kind.TOKEN_IDS, words, Tolerance.EXACT);
    } else if (name.group("encoder") != null) {
      String words =
          "%s, call %s, %s"
              .formatted(name.group("encoder"), name.group("text"), name.group("output"));
      return new Quantity(Kind.TEXT_ENCODER, words, Tolerance.TEXT);
    } else if (name.group("call") != null) {
      String part = name.group("part") == null ? "" : ", part " + name.group("part");
      String words = "transformer, call " + name.group("call") + part;
      return new Quantity(Kind.TRANSFORMER, words, Tolerance.TRANSFORMER);
    } else if (name.group("step") != null) {
      return new Quantity(Kind.LATENTS, "latents, step " + name.group("step"), latents(reference));
    } else if (name.group("schedule") != null) {
      return new Quantity(Kind.SCHEDULE, name.group(), Tolerance.SCHEDULE);
    }
    return new Quantity(Kind.IMAGE, name.group(), Tolerance.IMAGE);
  }

  private static Tolerance latents(ReferenceCase reference) {
    return reference.guidanceScale() >= 7 ? Tolerance.GUIDED_LATENTS : Tolerance.LATENTS;
  }

  Comparison compare(String caseName, Values found, Values recorded) {
    if (!found.sameShape(recorded)) {
      return Comparison.failed(
          caseName,
          kind,
          words,
          "shape %s, not %s"
              .formatted(Arrays.toString(recorded.shape()), Arrays.toString(found.shape())));
    }
    if (!recorded.finite()) {
      return Comparison.failed(caseName, kind, words, "finite numbers in the recording");
    }
    return tolerance.compare(caseName, kind, words, found.elements(), recorded.elements());
  }

  /** The failure of a quantity that was recorded but not computed. */
  Comparison absent(String caseName) {
    return Comparison.failed(caseName, kind, words, "computed at all");
  }
}
