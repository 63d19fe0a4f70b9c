package io.lightmill.pipeline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which prompts are encoded, and which are known; by text encoders that count their calls. */
class PromptCacheTest {

  private static final long ROW_BYTES = 2 * Float.BYTES + Float.BYTES;

  /** Hidden states are the length of the prompt, one for each of its words. */
  private static final class Words implements FlowNetworks {

    private final List<String> encoded = new ArrayList<>();

    @Override
    public PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
      assertThat(texts.prompts()).hasSize(1); // each by itself
      String prompt = texts.prompts().get(0);
      encoded.add(prompt);
      int words = prompt.split(" ").length;
      float[] states = new float[words];
      Arrays.fill(states, prompt.length());
      return new PromptEmbeddings(
          Tensor.of(states, 1, words, 1),
          Optional.of(Tensor.of(new float[] {prompt.length()}, 1, 1)),
          new long[] {words});
    }

    @Override
    public LatentSpace latents() {
      throw new AssertionError("only text encoders are used");
    }

    @Override
    public Denoiser denoiser(
        PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid, float[] timesteps) {
      throw new AssertionError("only text encoders are used");
    }

    @Override
    public Tensor decode(Tensor latents, TokenGrid grid, TensorProbe probe) {
      throw new AssertionError("only text encoders are used");
    }

    @Override
    public void close() {}
  }

  private final Words networks = new Words();
  private int texts;
  private int known;

  private float[] encode(PromptCache cache, String lora, String... prompts) {
    try (PromptEmbeddings embeddings =
        cache.encode(
            networks, LoraBlend.parse(lora), texts(512, prompts), TensorProbe.NONE, this::count)) {
      assertThat(embeddings.lengths()).hasSize(prompts.length);
      return embeddings.context().toFloats();
    }
  }

  private void count(int all, int cached) {
    texts += all;
    known += cached;
  }

  private static PromptTexts texts(int maxSequenceLength, String... prompts) {
    List<String> each = List.of(prompts);
    return new PromptTexts(each, each, each, maxSequenceLength, 0);
  }

  @Test
  void equalPromptsAreEncodedOnce() {
    try (PromptCache cache = new PromptCache(Set.of())) {
      // Zeros stand behind the shorter prompt.
      assertThat(encode(cache, "", "mug", "a mug", "mug")).containsExactly(3, 0, 5, 5, 3, 0);
      assertThat(encode(cache, "", "a mug")).containsExactly(5, 5);
      assertThat(networks.encoded).containsExactly("mug", "a mug");
      assertThat(texts).isEqualTo(4);
      assertThat(known).isEqualTo(2);
    }
  }

  @Test
  void onlyAdaptersOfTextEncodersMakePromptsDiffer() {
    try (PromptCache cache = new PromptCache(Set.of("words"))) {
      encode(cache, "", "mug");
      encode(cache, "style@0.5", "mug");
      assertThat(networks.encoded).containsExactly("mug");
      encode(cache, "words@0.5", "mug");
      encode(cache, "words@0.6", "mug");
      encode(cache, "style+words@0.5", "mug");
      assertThat(networks.encoded).containsExactly("mug", "mug", "mug");
    }
  }

  @Test
  void everyTextAndTheLengthCount() {
    try (PromptCache cache = new PromptCache(Set.of())) {
      List<String> mug = List.of("mug");
      List<String> jug = List.of("jug");
      for (PromptTexts each :
          List.of(
              new PromptTexts(mug, mug, mug, 512, 0),
              new PromptTexts(mug, jug, mug, 512, 0),
              new PromptTexts(mug, mug, jug, 512, 0),
              new PromptTexts(mug, mug, mug, 256, 0),
              new PromptTexts(mug, mug, mug, 512, 1))) { // a negative prompt is a text like others
        cache
            .encode(networks, LoraBlend.NONE, each, TensorProbe.NONE, PromptCache.Count.NONE)
            .close();
      }
      assertThat(networks.encoded).hasSize(4);
    }
  }

  @Test
  void theLeastRecentlyUsedPromptsAreDropped() {
    try (PromptCache cache = new PromptCache(Set.of(), 2 * ROW_BYTES)) {
      encode(cache, "", "a b", "c d");
      encode(cache, "", "a b");
      encode(cache, "", "e f");
      encode(cache, "", "a b");
      encode(cache, "", "c d");
      assertThat(networks.encoded).containsExactly("a b", "c d", "e f", "c d");
    }
  }

  @Test
  void aProbeSeesAllPromptsEncoded() {
    try (PromptCache cache = new PromptCache(Set.of())) {
      encode(cache, "", "mug");
      cache
          .encode(
              networks,
              LoraBlend.NONE,
              texts(512, "mug"),
              (name, tensor) -> {},
              PromptCache.Count.NONE)
          .close();
      assertThat(networks.encoded).containsExactly("mug", "mug");
    }
  }
}
