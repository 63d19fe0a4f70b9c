package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.text.WindowTokenizer;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network that gives scores to the labels of a prompt: transformers' {@code
 * …ForSequenceClassification} of BERT, DistilBERT, RoBERTa, XLM-RoBERTa or DeBERTa-v2. It computes
 * in 32-bit floats, one prompt at a time. A prompt that is longer than the network reads is read in
 * windows that overlap by a quarter, and each label has the greatest score of all windows.
 * Thread-safe.
 */
public final class PromptClassifier implements AutoCloseable {

  private static final ScriptModule NETWORK =
      ScriptModule.of("sequence_classifier", "SequenceClassifier");
  private static final ScriptModule DEBERTA = ScriptModule.of("deberta", "Deberta");

  private final SequenceConfig config;
  private final Device device;
  private final WindowTokenizer tokenizer;
  private final Weights weights;
  private final Weights layers;

  private PromptClassifier(
      SequenceConfig config, Device device, WindowTokenizer tokenizer, Weights weights) {
    this.config = config;
    this.device = device;
    this.tokenizer = tokenizer;
    this.weights = weights;
    this.layers = weights.stack("encoder.layers", config.layers());
  }

  /**
   * What a checkpoint has; reads configs, vocabularies and the headers of weights.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} or {@code WEIGHTS_INVALID} if it is
   *     damaged, with {@code PIPELINE_UNKNOWN} if it is no classifier of texts
   */
  public static ClassifierInfo describe(ModelDirectory model) {
    requireKnown(model);
    SequenceConfig config = SequenceConfig.of(model);
    model.weights().require(config.layout());
    tokenizer(model, config).close();
    return ClassifierInfo.of(config.labels(), Map.of(), config.layout());
  }

  /** Loads the weights onto a device. */
  public static PromptClassifier load(ModelDirectory model, Device device) {
    requireKnown(model);
    SequenceConfig config = SequenceConfig.of(model);
    try (Loading loading = new Loading()) {
      WindowTokenizer tokenizer = loading.add(tokenizer(model, config));
      Weights weights =
          loading.add(new WeightLoader(device, DType.F32).load(model.weights(), config.layout()));
      PromptClassifier classifier = new PromptClassifier(config, device, tokenizer, weights);
      loading.complete();
      return classifier;
    }
  }

  private static WindowTokenizer tokenizer(ModelDirectory model, SequenceConfig config) {
    return WindowTokenizer.open(model.directory(), config.mostTokens());
  }

  private static void requireKnown(ModelDirectory model) {
    if (!SequenceConfig.ARCHITECTURES.contains(model.architecture())) {
      throw new LightmillException(
          ErrorCode.PIPELINE_UNKNOWN,
          "the checkpoint %s is of the architecture '%s'; prompt classifiers are %s"
              .formatted(
                  model.directory(),
                  model.architecture(),
                  String.join(", ", SequenceConfig.ARCHITECTURES)));
    }
  }

  /** The scores by label. */
  public Map<String, Double> scores(String prompt) {
    Map<String, Double> greatest = new LinkedHashMap<>();
    for (float[] logits : logits(prompt)) {
      config
          .probabilities()
          .scores(config.labels(), logits)
          .forEach((label, score) -> greatest.merge(label, score, Math::max));
    }
    return greatest;
  }

  /** The logits of each window. */
  List<float[]> logits(String prompt) {
    List<float[]> logits = new ArrayList<>();
    for (long[] ids : tokenizer.windows(prompt)) {
      try (Tensor onCpu = Tensor.of(ids, 1, ids.length);
          Tensor onDevice = onCpu.to(device, DType.I64);
          Tensor each = forward(onDevice)) {
        logits.add(PictureTensor.floats(each));
      }
    }
    return logits;
  }

  private Tensor forward(Tensor ids) {
    if (config.deberta().isEmpty()) {
      return NETWORK.tensor(
          "forward",
          weights,
          layers,
          ids,
          config.firstPosition(),
          config.heads(),
          config.activation(),
          config.headActivation(),
          config.layerNormEps());
    }
    DebertaConfig deberta = config.deberta().get();
    return DEBERTA.tensor(
        "forward",
        weights,
        layers,
        ids,
        config.heads(),
        config.activation(),
        config.headActivation(),
        config.layerNormEps(),
        String.join("|", deberta.kinds()),
        deberta.buckets(),
        deberta.most(),
        deberta.convolution().map(DebertaConfig.Convolution::activation).orElse("tanh"),
        deberta.convolution().map(DebertaConfig.Convolution::groups).orElse(1));
  }

  @Override
  public void close() {
    layers.close();
    weights.close();
    tokenizer.close();
  }
}
