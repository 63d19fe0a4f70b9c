package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.text.Activations;
import io.lightmill.pipeline.text.IdleKeys;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The network that reads a picture: ViT, or the image encoder of CLIP or SigLIP. */
final class ImageTower implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("vision", "Vision");

  private static final String LAYERS = "encoder.layers";

  /** Training, other tasks, and sizes of parts that are not used. */
  private static final Set<String> IDLE =
      with(
          IdleKeys.OF_TRANSFORMERS,
          "attention_probs_dropout_prob",
          "encoder_stride",
          "hidden_dropout_prob",
          "num_channels",
          "pooler_act",
          "pooler_output_size",
          "projection_dim");

  /**
   * The values of a config that the network uses.
   *
   * @param side width and height of a picture
   * @param patch width and height of a patch
   */
  record Config(
      int side,
      int patch,
      int width,
      int feedForwardWidth,
      int layers,
      int heads,
      String activation,
      double layerNormEps,
      boolean queryBias) {

    /** Absent values take the defaults of {@code CLIPVisionConfig} and {@code ViTConfig}. */
    static Config of(ComponentConfig config, String activation, double eps, Set<String> idle) {
      Config tower =
          new Config(
              config.count("image_size", 224),
              config.count("patch_size", config.has("qkv_bias") ? 16 : 32),
              config.count("hidden_size", 768),
              config.count("intermediate_size", 3072),
              config.layers("num_hidden_layers", 12),
              config.count("num_attention_heads", 12),
              config.choice("hidden_act", activation, Activations.NAMES),
              config.positive("layer_norm_eps", eps),
              config.flag("qkv_bias", true));
      if (tower.side % tower.patch != 0) {
        throw config.wrong("patch_size", "a divisor of image_size");
      }
      if (tower.width % tower.heads != 0) {
        throw config.wrong("num_attention_heads", "a divisor of hidden_size");
      }
      config.requireAllRead(with(idle, IDLE.toArray(new String[0])));
      return tower;
    }

    private int patches() {
      return (side / patch) * (side / patch);
    }

    /** The layers that all kinds have. */
    private WeightLayout layout(int positions) {
      WeightLayout layout =
          new WeightLayout()
              .tensor("embeddings.patch_embedding.weight", width, 3, patch, patch)
              .norm("post_layernorm", width);
      for (int i = 0; i < layers; i++) {
        blocks(layout, "%s.%d.".formatted(LAYERS, i), width, feedForwardWidth, queryBias);
      }
      return positions == 0
          ? layout
          : layout.tensor("embeddings.position_embedding.weight", positions, width);
    }

    WeightLayout vit(int labels) {
      return layout(0)
          .tensor("embeddings.position_embedding.weight", 1, patches() + 1L, width)
          .tensor("embeddings.patch_embedding.bias", width)
          .tensor("embeddings.class_embedding", 1, 1, width)
          .linear("classifier", width, labels);
    }

    WeightLayout clip(int projection) {
      return layout(patches() + 1)
          .tensor("embeddings.class_embedding", width)
          .norm("pre_layrnorm", width)
          .linearWithoutBias("visual_projection", width, projection);
    }

    WeightLayout siglip() {
      return layout(patches())
          .tensor("embeddings.patch_embedding.bias", width)
          .tensor("head.probe", 1, 1, width)
          .tensor("head.attention.in_proj_weight", 3L * width, width)
          .tensor("head.attention.in_proj_bias", 3L * width)
          .linear("head.attention.out_proj", width, width)
          .norm("head.layernorm", width)
          .linear("head.mlp.fc1", width, feedForwardWidth)
          .linear("head.mlp.fc2", feedForwardWidth, width);
    }
  }

  /** Declares a block of attention and feed-forward layers. */
  static void blocks(
      WeightLayout layout, String block, int width, int feedForwardWidth, boolean bias) {
    layout.norm(block + "layer_norm1", width).norm(block + "layer_norm2", width);
    for (String projection : List.of("q_proj", "k_proj", "v_proj")) {
      layout.linearWithoutBias(block + "self_attn." + projection, width, width);
      if (bias) {
        layout.tensor(block + "self_attn." + projection + ".bias", width);
      }
    }
    layout
        .linear(block + "self_attn.out_proj", width, width)
        .linear(block + "mlp.fc1", width, feedForwardWidth)
        .linear(block + "mlp.fc2", feedForwardWidth, width);
  }

  static Set<String> with(Set<String> keys, String... more) {
    Set<String> all = new HashSet<>(keys);
    all.addAll(List.of(more));
    return Set.copyOf(all);
  }

  private final Config config;
  private final PixelPreparation preparation;
  private final Device device;
  private final Weights weights;
  private final Weights layers;

  private ImageTower(Config config, PixelPreparation preparation, Device device, Weights weights) {
    this.config = config;
    this.preparation = preparation;
    this.device = device;
    this.weights = weights;
    this.layers = weights.stack(LAYERS, config.layers());
  }

  static ImageTower load(
      ModelDirectory model,
      Config config,
      WeightLayout layout,
      PixelPreparation preparation,
      WeightLoader loader) {
    try (Loading loading = new Loading()) {
      Weights weights = loading.add(loader.load(model.weights(), layout));
      ImageTower tower = new ImageTower(config, preparation, loader.device(), weights);
      loading.complete();
      return tower;
    }
  }

  /** The weights, which may hold more than the network uses. */
  Weights weights() {
    return weights;
  }

  /**
   * The output of the network for a picture: logits or an embedding, {@code [1, width]}, to be
   * closed by the caller.
   *
   * @param picture {@code [height, width, 3]} of type U8 on the network's device
   */
  Tensor read(Tensor picture) {
    try (Tensor pixels = preparation.prepare(picture, device)) {
      return NETWORK.tensor(
          "forward",
          weights,
          layers,
          pixels,
          config.patch(),
          config.heads(),
          config.activation(),
          config.layerNormEps());
    }
  }

  @Override
  public void close() {
    layers.close();
    weights.close();
  }
}
