package io.lightmill.pipeline.verify;

import io.lightmill.pipeline.ImageRequest;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A recorded tensor that verification compares.
 *
 * @param words for the report
 * @param tolerance at which it holds
 */
record Quantity(String words, Tolerance tolerance) {

  private static final Pattern NAME =
      Pattern.compile(
          "tok\\.(?<tokenizer>\\w+)\\.(?<tokens>\\d+)\\.input_ids"
              + "|te\\.(?<encoder>\\w+)\\.(?<text>\\d+)\\.(?<output>.+)"
              + "|tr\\.(?<call>\\d+)\\.out(?<part>\\.\\d+)?"
              + "|latents\\.(?<step>\\d+)"
              + "|(?<schedule>sigmas|timesteps)"
              + "|image");

  /** Empty for tensors that others imply. */
  static Optional<Quantity> of(String name, ReferenceCase reference) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    } else if (matcher.group("tokenizer") != null) {
      return of(
          Tolerance.EXACT,
          "token ids, %s, call %s".formatted(matcher.group("tokenizer"), matcher.group("tokens")));
    } else if (matcher.group("encoder") != null) {
      return of(
          Tolerance.TEXT,
          "%s, call %s, %s"
              .formatted(matcher.group("encoder"), matcher.group("text"), matcher.group("output")));
    } else if (matcher.group("call") != null) {
      return of(Tolerance.TRANSFORMER, "transformer, call " + matcher.group("call"));
    } else if (matcher.group("step") != null) {
      return of(latents(reference), "latents, step " + matcher.group("step"));
    }
    return of(matcher.group("schedule") != null ? Tolerance.SCHEDULE : Tolerance.IMAGE, name);
  }

  private static Optional<Quantity> of(Tolerance tolerance, String words) {
    return Optional.of(new Quantity(words, tolerance));
  }

  private static Tolerance latents(ReferenceCase reference) {
    ImageRequest any = reference.requests().get(0);
    return any.trueCfg() && any.trueCfgScale() >= 7 ? Tolerance.GUIDED_LATENTS : Tolerance.LATENTS;
  }
}
