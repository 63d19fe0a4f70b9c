package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How well a picture fits a text: {@code logits_per_image} of transformers' {@code CLIPModel} (for
 * the released models, 100 times the cosine of the embeddings) or {@code SiglipModel}. It computes
 * in 32-bit floats, one picture at a time. Texts that are too long are truncated: CLIP reads 77
 * tokens, SigLIP 64. Thread-safe.
 */
public final class ImageScorer implements AutoCloseable {

  private static final String CLIP = "CLIPModel";
  private static final String SIGLIP = "SiglipModel";

  private static final ScriptModule SCRIPT = ScriptModule.of("similarity", "Similarity");

  /** Of configs written before 2023, whose texts end at the token with the greatest id. */
  private static final int OLD_EOS = 2;

  private final Config config;
  private final Device device;
  private final PromptTokenizer tokenizer;
  private final ImageTower pictures;
  private final Weights texts;
  private final Weights layers;

  private record Config(
      boolean clip, ImageTower.Config vision, TextTower text, int projection, boolean biased) {

    static Config of(ModelDirectory model) {
      ComponentConfig config = model.config();
      boolean clip =
          switch (model.architecture()) {
            case CLIP -> true;
            case SIGLIP -> false;
            default -> throw unknown(model);
          };
      ComponentConfig vision = part(config, "vision_config");
      if (!clip) {
        vision.requireFlag("vision_use_head", true);
      }
      TextTower text = TextTower.of(part(config, "text_config"), clip);
      return new Config(
          clip,
          ImageTower.Config.of(
              vision, clip ? "quick_gelu" : "gelu_pytorch_tanh", clip ? 1e-5 : 1e-6, Set.of()),
          text,
          clip ? config.count("projection_dim", 512) : text.projection(),
          !clip);
    }

    private static ComponentConfig part(ComponentConfig config, String key) {
      return config.object(key).orElseThrow(() -> config.wrong(key, "an object"));
    }

    PixelPreparation preparation(ModelDirectory model) {
      return PixelPreparation.of(
          model,
          clip ? PixelPreparation.Defaults.CLIP : PixelPreparation.Defaults.SIGLIP,
          vision.side());
    }

    WeightLayout visionLayout() {
      return (clip ? vision.clip(projection) : vision.siglip())
          .named(name -> name.replaceFirst("^vision_model\\.", ""))
          .unused("embeddings\\.position_ids|text_.*|logit_.*");
    }

    WeightLayout textLayout() {
      WeightLayout layout =
          text.layout(clip ? projection : 0)
              .named(name -> name.replaceFirst("^text_model\\.", ""))
              .unused("embeddings\\.position_ids|vision_.*|visual_.*|.*vision_model\\..*");
      if (clip) {
        return layout.tensor("logit_scale");
      }
      return layout.tensor("logit_scale", 1).tensor("logit_bias", 1);
    }
  }

  private ImageScorer(
      Config config, Device device, PromptTokenizer tokenizer, ImageTower pictures, Weights texts) {
    this.config = config;
    this.device = device;
    this.tokenizer = tokenizer;
    this.pictures = pictures;
    this.texts = texts;
    this.layers = texts.stack("encoder.layers", config.text().layers());
  }

  private static LightmillException unknown(ModelDirectory model) {
    return new LightmillException(
        ErrorCode.PIPELINE_UNKNOWN,
        "the checkpoint %s is of the architecture '%s'; scorers are %s and %s"
            .formatted(model.directory(), model.architecture(), CLIP, SIGLIP));
  }

  /**
   * What a checkpoint has; reads configs, vocabularies and the headers of weights.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} or {@code WEIGHTS_INVALID} if it is
   *     damaged, with {@code PIPELINE_UNKNOWN} if it is no scorer
   */
  public static ClassifierInfo describe(ModelDirectory model) {
    Config config = Config.of(model);
    config.preparation(model);
    model.weights().require(config.visionLayout());
    model.weights().require(config.textLayout());
    PromptTokenizer.open(model.directory()).close();
    return ClassifierInfo.of(List.of(), Map.of(), config.visionLayout(), config.textLayout());
  }

  /** Loads the weights onto a device. */
  public static ImageScorer load(ModelDirectory model, Device device) {
    Config config = Config.of(model);
    WeightLoader loader = new WeightLoader(device, DType.F32);
    try (Loading loading = new Loading()) {
      PromptTokenizer tokenizer = loading.add(PromptTokenizer.open(model.directory()));
      ImageTower pictures =
          loading.add(
              ImageTower.load(
                  model,
                  config.vision(),
                  config.visionLayout(),
                  config.preparation(model),
                  loader));
      Weights texts = loading.add(loader.load(model.weights(), config.textLayout()));
      ImageScorer scorer = new ImageScorer(config, device, tokenizer, pictures, texts);
      loading.complete();
      return scorer;
    }
  }

  /** The score of a picture for a text; greater is better. */
  public double score(RgbImage picture, String text) {
    try (Tensor onDevice = PictureTensor.of(picture, device);
        Tensor seen = pictures.read(onDevice);
        Tensor read = read(text);
        Tensor score = SCRIPT.tensor("score", texts, seen, read)) {
      return PictureTensor.floats(score)[0];
    }
  }

  private Tensor read(String text) {
    TextTower tower = config.text();
    long[] ids =
        tokenizer.encode(text, Math.min(tokenizer.modelMaxLength(), tower.positions())).ids();
    try (Tensor onCpu = Tensor.of(ids, 1, ids.length);
        Tensor onDevice = onCpu.to(device, DType.I64)) {
      return SCRIPT.tensor(
          "text",
          texts,
          layers,
          onDevice,
          config.clip() ? end(ids, tower.eosTokenId()) : ids.length - 1,
          tower.heads(),
          tower.activation(),
          tower.layerNormEps());
    }
  }

  /** The index of the token that ends a text. */
  private static int end(long[] ids, int eos) {
    int end = 0;
    for (int i = 0; i < ids.length; i++) {
      if (eos != OLD_EOS && ids[i] == eos) {
        return i;
      } else if (eos == OLD_EOS && ids[i] > ids[end]) {
        end = i;
      }
    }
    return end;
  }

  @Override
  public void close() {
    layers.close();
    texts.close();
    pictures.close();
    tokenizer.close();
  }
}
