package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ImageRequest;
import java.util.List;
import java.util.function.Function;

/**
 * What the text encoders of a batch read.
 *
 * @param prompts for the first text encoder
 * @param prompts2 for the second, one for each
 * @param prompts3 for the third, one for each
 * @param maxSequenceLength tokens that the long text encoder reads, padding included
 * @param call 0 for prompts, 1 for negative prompts; part of the names that a probe sees
 */
public record PromptTexts(
    List<String> prompts,
    List<String> prompts2,
    List<String> prompts3,
    int maxSequenceLength,
    int call) {

  static PromptTexts of(List<ImageRequest> batch) {
    return new PromptTexts(
        each(batch, ImageRequest::prompt),
        each(batch, request -> request.prompt2().orElse(request.prompt())),
        each(batch, request -> request.prompt3().orElse(request.prompt())),
        batch.get(0).maxSequenceLength(),
        0);
  }

  /** The negative prompts; a missing one is the empty prompt. */
  static PromptTexts negative(List<ImageRequest> batch) {
    List<String> texts = each(batch, request -> request.negativePrompt().orElse(""));
    return new PromptTexts(texts, texts, texts, batch.get(0).maxSequenceLength(), 1);
  }

  /** Number of prompts. */
  int size() {
    return prompts.size();
  }

  /** One of the prompts by itself. */
  PromptTexts only(int index) {
    return new PromptTexts(
        List.of(prompts.get(index)),
        List.of(prompts2.get(index)),
        List.of(prompts3.get(index)),
        maxSequenceLength,
        call);
  }

  private static List<String> each(List<ImageRequest> batch, Function<ImageRequest, String> text) {
    return batch.stream().map(text).toList();
  }
}
