package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** transformers' {@code ViTForImageClassification}. */
final class VitClassifier implements ImageClassifier {

  static final String ARCHITECTURE = "ViTForImageClassification";

  private final List<String> labels;
  private final Probabilities probabilities;
  private final ImageTower network;
  private final Device device;

  private record Config(ImageTower.Config tower, List<String> labels, Probabilities probabilities) {

    static Config of(ModelDirectory model) {
      ComponentConfig config = model.config();
      config.choice("model_type", "vit", List.of("vit"));
      List<String> labels = ModelDirectory.labels(config);
      config.flag("qkv_bias", true);
      Probabilities probabilities = Probabilities.of(config, labels.size());
      return new Config(
          ImageTower.Config.of(config, "gelu", 1e-12, Set.of()), labels, probabilities);
    }

    WeightLayout layout() {
      return tower
          .vit(labels.size())
          .named(VitClassifier::canonical)
          .unused("(vit\\.)?pooler\\..*");
    }

    PixelPreparation preparation(ModelDirectory model) {
      return PixelPreparation.of(model, PixelPreparation.Defaults.VIT, tower.side());
    }
  }

  private VitClassifier(Config config, ImageTower network, Device device) {
    this.labels = config.labels();
    this.probabilities = config.probabilities();
    this.network = network;
    this.device = device;
  }

  /** CLIP's name of a layer. */
  private static String canonical(String name) {
    return name.replaceFirst("^vit\\.", "")
        .replaceFirst("^layernorm\\.", "post_layernorm.")
        .replaceFirst("^embeddings\\.cls_token$", "embeddings.class_embedding")
        .replaceFirst("^embeddings\\.position_embeddings$", "embeddings.position_embedding.weight")
        .replaceFirst("^embeddings\\.patch_embeddings\\.projection", "embeddings.patch_embedding")
        .replaceFirst("^encoder\\.layer\\.", "encoder.layers.")
        .replaceFirst("attention\\.attention\\.query", "self_attn.q_proj")
        .replaceFirst("attention\\.attention\\.key", "self_attn.k_proj")
        .replaceFirst("attention\\.attention\\.value", "self_attn.v_proj")
        .replaceFirst("attention\\.output\\.dense", "self_attn.out_proj")
        .replaceFirst("intermediate\\.dense", "mlp.fc1")
        .replaceFirst("output\\.dense", "mlp.fc2")
        .replaceFirst("layernorm_before", "layer_norm1")
        .replaceFirst("layernorm_after", "layer_norm2");
  }

  static ClassifierInfo describe(ModelDirectory model) {
    Config config = Config.of(model);
    config.preparation(model);
    model.weights().require(config.layout());
    return ClassifierInfo.of(config.labels(), Map.of(), config.layout());
  }

  static VitClassifier load(ModelDirectory model, Device device) {
    Config config = Config.of(model);
    return new VitClassifier(
        config,
        ImageTower.load(
            model,
            config.tower(),
            config.layout(),
            config.preparation(model),
            new WeightLoader(device, DType.F32)),
        device);
  }

  @Override
  public Map<String, Double> scores(RgbImage picture) {
    return probabilities.scores(labels, logits(picture));
  }

  float[] logits(RgbImage picture) {
    try (Tensor onDevice = PictureTensor.of(picture, device);
        Tensor logits = network.read(onDevice)) {
      return PictureTensor.floats(logits);
    }
  }

  @Override
  public void close() {
    network.close();
  }
}
