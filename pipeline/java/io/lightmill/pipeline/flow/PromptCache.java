package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.TensorCache;
import io.lightmill.pipeline.torch.TensorProbe;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The embeddings of the prompts that a loaded checkpoint has encoded, by content: the prompt of
 * several seeds, and the negative prompt of a whole table, are encoded once. Each prompt is encoded
 * by itself, so its embeddings do not depend on its batch, cached or not. They are in the host's
 * memory.
 */
final class PromptCache implements AutoCloseable {

  /** Some 60 prompts of FLUX.1: 512 tokens of 4,096 channels in 16 bits each. */
  private static final long MOST_BYTES = 256L << 20;

  /**
   * All that the embeddings of a prompt depend on.
   *
   * @param adapters of the text encoders
   */
  private record Text(
      LoraBlend adapters, String prompt, String prompt2, String prompt3, int maxSequenceLength) {}

  /** Receives how many texts were to be encoded, and how many of them were known. */
  @FunctionalInterface
  interface Count {

    Count NONE = (texts, cached) -> {};

    void add(int texts, int cached);
  }

  private final Set<String> adapters;
  private final TensorCache<Text, PromptEmbeddings> known;

  /**
   * @param adapters names of those that change text encoders
   */
  PromptCache(Set<String> adapters) {
    this(adapters, MOST_BYTES);
  }

  PromptCache(Set<String> adapters, long mostBytes) {
    this.adapters = Set.copyOf(adapters);
    this.known = new TensorCache<>(mostBytes);
  }

  /**
   * Encodes the prompts of a batch.
   *
   * @param networks of the blend
   * @param probe sees what the text encoders compute; they compute all prompts for it
   * @return embeddings in the host's memory, with a probe on the device; to be closed by the caller
   */
  PromptEmbeddings encode(
      FlowNetworks networks, LoraBlend blend, PromptTexts texts, TensorProbe probe, Count counted) {
    if (probe != TensorProbe.NONE) {
      return networks.encode(texts, probe);
    }
    LoraBlend changing = changing(blend);
    List<PromptEmbeddings> rows = new ArrayList<>();
    int cached = 0;
    try (Loading parts = new Loading()) {
      for (int i = 0; i < texts.size(); i++) {
        PromptTexts one = texts.only(i);
        Text text =
            new Text(
                changing,
                one.prompts().get(0),
                one.prompts2().get(0),
                one.prompts3().get(0),
                one.maxSequenceLength());
        Optional<PromptEmbeddings> before = known.find(text);
        cached += before.isPresent() ? 1 : 0;
        rows.add(parts.add(before.orElseGet(() -> known.keep(text, encoded(networks, one)))));
      }
      counted.add(texts.size(), cached);
      if (rows.size() > 1) {
        return PromptEmbeddings.joined(rows);
      }
      parts.complete();
      return rows.get(0);
    }
  }

  private static PromptEmbeddings encoded(FlowNetworks networks, PromptTexts one) {
    try (PromptEmbeddings onDevice = networks.encode(one, TensorProbe.NONE)) {
      return onDevice.to(Device.CPU);
    }
  }

  /** The part of a blend that changes text encoders. */
  private LoraBlend changing(LoraBlend blend) {
    SortedMap<String, BigDecimal> weights = new TreeMap<>(blend.weights());
    weights.keySet().retainAll(adapters);
    return new LoraBlend(weights);
  }

  @Override
  public void close() {
    known.close();
  }
}
