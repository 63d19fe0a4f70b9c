package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.text.Activations;
import io.lightmill.pipeline.text.IdleKeys;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The values of {@code config.json} that a classifier of texts uses.
 *
 * @param mostTokens of a text, with special tokens
 * @param firstPosition of a text's first token
 * @param positions rows of the table of positions; 0 if there is none
 * @param types rows of the table of token types; 0 if there is none
 * @param headActivation of the pooled token
 * @param deberta empty for BERT, DistilBERT and RoBERTa
 */
record SequenceConfig(
    List<String> labels,
    Probabilities probabilities,
    int vocabulary,
    int width,
    int feedForwardWidth,
    int layers,
    int heads,
    String activation,
    String headActivation,
    double layerNormEps,
    int mostTokens,
    int firstPosition,
    int positions,
    int types,
    Optional<DebertaConfig> deberta) {

  static final List<String> ARCHITECTURES =
      List.of(
          "BertForSequenceClassification",
          "DebertaV2ForSequenceClassification",
          "DistilBertForSequenceClassification",
          "RobertaForSequenceClassification",
          "XLMRobertaForSequenceClassification");

  private static final Map<String, String> TYPES =
      Map.of(
          ARCHITECTURES.get(0), "bert",
          ARCHITECTURES.get(1), "deberta-v2",
          ARCHITECTURES.get(2), "distilbert",
          ARCHITECTURES.get(3), "roberta",
          ARCHITECTURES.get(4), "xlm-roberta");

  private static final String LAYER = "encoder.layers.%d.";

  /** Activations of pooled tokens, which may also be {@code tanh}. */
  static final List<String> HEAD_ACTIVATIONS =
      Stream.concat(Stream.of("tanh"), Activations.NAMES.stream()).toList();

  private static final Set<String> IDLE =
      ImageTower.with(
          IdleKeys.OF_TRANSFORMERS,
          "attention_probs_dropout_prob",
          "classifier_dropout",
          "cls_dropout",
          "hidden_dropout_prob",
          "legacy",
          "pooler_dropout",
          "qa_dropout",
          "seq_classif_dropout",
          "sinusoidal_pos_embds", // the table is in the weights
          "pooler_fc_size",
          "pooler_num_attention_heads",
          "pooler_num_fc_layers",
          "pooler_size_per_head",
          "pooler_type",
          "directionality",
          "id2label",
          "label2id");

  static SequenceConfig of(ModelDirectory model) {
    String type = TYPES.get(model.architecture());
    ComponentConfig config = model.config();
    config.choice("model_type", type, List.of(type));
    List<String> labels = ModelDirectory.labels(config);
    Probabilities probabilities = Probabilities.of(config, labels.size());
    SequenceConfig read =
        switch (type) {
          case "distilbert" -> distilBert(config, labels, probabilities);
          case "deberta-v2" -> deberta(config, labels, probabilities);
          default -> bert(config, labels, probabilities, type.equals("bert"));
        };
    if (read.width % read.heads != 0) {
      throw config.wrong("num_attention_heads", "a divisor of hidden_size");
    }
    config.requireAllRead(IDLE);
    return read;
  }

  private static SequenceConfig bert(
      ComponentConfig config, List<String> labels, Probabilities probabilities, boolean bert) {
    config.choice("position_embedding_type", "absolute", List.of("absolute"));
    int positions = config.count("max_position_embeddings", 512);
    int first = bert ? 0 : config.integer("pad_token_id", 1) + 1;
    if (first < 0 || first >= positions) {
      throw config.wrong("pad_token_id", "from 0 and below max_position_embeddings");
    }
    return new SequenceConfig(
        labels,
        probabilities,
        config.count("vocab_size", bert ? 30522 : 50265),
        config.count("hidden_size", 768),
        config.count("intermediate_size", 3072),
        config.layers("num_hidden_layers", 12),
        config.count("num_attention_heads", 12),
        config.choice("hidden_act", "gelu", Activations.NAMES),
        "tanh",
        config.positive("layer_norm_eps", 1e-12),
        positions - first,
        first,
        positions,
        config.count("type_vocab_size", 2),
        Optional.empty());
  }

  private static SequenceConfig distilBert(
      ComponentConfig config, List<String> labels, Probabilities probabilities) {
    int positions = config.count("max_position_embeddings", 512);
    return new SequenceConfig(
        labels,
        probabilities,
        config.count("vocab_size", 30522),
        config.count("dim", 768),
        config.count("hidden_dim", 3072),
        config.layers("n_layers", 6),
        config.count("n_heads", 12),
        config.choice("activation", "gelu", Activations.NAMES),
        "relu",
        1e-12,
        positions,
        0,
        positions,
        0,
        Optional.empty());
  }

  private static SequenceConfig deberta(
      ComponentConfig config, List<String> labels, Probabilities probabilities) {
    int positions = config.count("max_position_embeddings", 512);
    int width = config.count("hidden_size", 1536);
    int heads = config.count("num_attention_heads", 24);
    return new SequenceConfig(
        labels,
        probabilities,
        config.count("vocab_size", 128100),
        width,
        config.count("intermediate_size", 6144),
        config.layers("num_hidden_layers", 24),
        heads,
        config.choice("hidden_act", "gelu", Activations.NAMES),
        config.choice("pooler_hidden_act", "gelu", HEAD_ACTIVATIONS),
        config.positive("layer_norm_eps", 1e-7),
        positions,
        0,
        config.flag("position_biased_input", true) ? positions : 0,
        config.has("type_vocab_size") ? config.index("type_vocab_size") : 0,
        Optional.of(DebertaConfig.of(config, width, heads, positions)));
  }

  WeightLayout layout() {
    int embedded = deberta.map(DebertaConfig::embeddingWidth).orElse(width);
    WeightLayout layout =
        new WeightLayout()
            .named(this::canonical)
            .unused(
                "embeddings\\.position_(ids|embeddings\\.weight)|pooler\\..*|(cls|lm_head|lm_predictions|mask_predictions)\\..*")
            .tensor("embeddings.word_embeddings.weight", vocabulary, embedded)
            .norm("embeddings.LayerNorm", width)
            .linear("head", width, width)
            .linear("classifier", width, labels.size());
    if (positions > 0) {
      layout.tensor("embeddings.position_embeddings.weight", positions, embedded);
    }
    if (types > 0) {
      layout.tensor("embeddings.token_type_embeddings.weight", types, embedded);
    }
    for (int i = 0; i < layers; i++) {
      ImageTower.blocks(layout, LAYER.formatted(i), width, feedForwardWidth, true);
    }
    deberta.ifPresent(config -> config.declare(layout, width, layers));
    return layout;
  }

  /** CLIP's name of a layer, and {@code head} for the pooler that the classifier reads. */
  private String canonical(String stored) {
    String name =
        stored
            .replaceFirst("^(bert|distilbert|deberta)\\.", "")
            .replaceFirst("LayerNorm\\.gamma$", "LayerNorm.weight")
            .replaceFirst("LayerNorm\\.beta$", "LayerNorm.bias");
    if (stored.startsWith("roberta.")) {
      name = name.replaceFirst("^roberta\\.", ""); // its pooler is not the classifier's
    } else {
      name = name.replaceFirst("^(pooler\\.dense|pre_classifier)\\.", "head.");
    }
    return name.replaceFirst("^classifier\\.dense\\.", "head.")
        .replaceFirst("^classifier\\.out_proj\\.", "classifier.")
        .replaceFirst("^(encoder|transformer)\\.layer\\.", "encoder.layers.")
        .replaceFirst("attention\\.(self\\.query(_proj)?|q_lin)\\.", "self_attn.q_proj.")
        .replaceFirst("attention\\.(self\\.key(_proj)?|k_lin)\\.", "self_attn.k_proj.")
        .replaceFirst("attention\\.(self\\.value(_proj)?|v_lin)\\.", "self_attn.v_proj.")
        .replaceFirst("attention\\.self\\.pos_", "self_attn.pos_")
        .replaceFirst("attention\\.(output\\.dense|out_lin)\\.", "self_attn.out_proj.")
        .replaceFirst("(attention\\.output\\.LayerNorm|sa_layer_norm)\\.", "layer_norm1.")
        .replaceFirst("(intermediate\\.dense|ffn\\.lin1)\\.", "mlp.fc1.")
        .replaceFirst("(output\\.dense|ffn\\.lin2)\\.", "mlp.fc2.")
        .replaceFirst("(output\\.LayerNorm|output_layer_norm)\\.", "layer_norm2.");
  }
}
