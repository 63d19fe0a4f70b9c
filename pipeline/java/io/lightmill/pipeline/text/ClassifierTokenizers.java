package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.text.SentencePieceModel.Piece;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** The tokenizers of classifiers, made from the files of older layouts. */
final class ClassifierTokenizers {

  private static final List<String> BERT_TOKENS =
      List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");
  private static final List<String> ROBERTA_TOKENS =
      List.of("<s>", "<pad>", "</s>", "<unk>", "<mask>");

  private ClassifierTokenizers() {}

  /** BERT's, from {@code vocab.txt}: a token a line, in the order of the ids. */
  static TokenizerJson wordPiece(Path directory, ComponentConfig config) {
    TokenizerFile file = new TokenizerFile(directory.resolve("vocab.txt"));
    ObjectNode root = TokenizerJson.skeleton("bert.json");
    ObjectNode vocabulary = ((ObjectNode) root.get("model")).putObject("vocab");
    List<String> lines = file.lines();
    for (int id = 0; id < lines.size(); id++) {
      vocabulary.put(lines.get(id).stripTrailing(), id);
    }
    boolean lowercase = config.flag("do_lower_case", true);
    ObjectNode normalizer = (ObjectNode) root.get("normalizer");
    normalizer.put("lowercase", lowercase);
    normalizer.put("handle_chinese_chars", config.flag("tokenize_chinese_chars", true));
    if (config.has("strip_accents")) {
      normalizer.put("strip_accents", config.flag("strip_accents", lowercase));
    }
    Map<String, Integer> ids = new LinkedHashMap<>();
    vocabulary.properties().forEach(token -> ids.put(token.getKey(), token.getValue().intValue()));
    return finished(file, root, ids, BERT_TOKENS);
  }

  /** RoBERTa's, from {@code vocab.json} and {@code merges.txt}. */
  static TokenizerJson bytePairs(Path directory, ComponentConfig config) {
    BytePairVocabulary pairs = BytePairVocabulary.read(directory);
    ObjectNode root = TokenizerJson.skeleton("roberta.json");
    boolean prefix = config.flag("add_prefix_space", false);
    ((ObjectNode) root.get("pre_tokenizer")).put("add_prefix_space", prefix);
    ((ObjectNode) root.get("model"))
        .setAll(Map.of("vocab", pairs.vocab(), "merges", pairs.merges()));
    Map<String, Integer> ids = new LinkedHashMap<>();
    pairs.vocab().properties().forEach(t -> ids.put(t.getKey(), t.getValue().intValue()));
    return finished(pairs.file(), root, ids, ROBERTA_TOKENS);
  }

  /** DeBERTa-v2's, from {@code spm.model}. */
  static TokenizerJson sentencePieces(Path directory, ComponentConfig config) {
    TokenizerFile file = new TokenizerFile(directory.resolve("spm.model"));
    SentencePieceModel model = SentencePieceModel.read(file);
    ObjectNode root = TokenizerJson.skeleton("t5.json");
    ObjectNode unigram = (ObjectNode) root.get("model");
    unigram.put("unk_id", model.unknownId().orElseThrow());
    ArrayNode vocabulary = unigram.putArray("vocab");
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (Piece piece : model.pieces()) {
      ids.put(piece.text(), ids.size());
      vocabulary.addArray().add(piece.text()).add((double) piece.score());
    }
    ArrayNode normalizers =
        root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    if (config.flag("do_lower_case", false)) {
      normalizers.addObject().put("type", "Lowercase");
    }
    normalizers.addObject().put("type", "Strip").put("strip_left", true).put("strip_right", true);
    ByteBuffer charsmap = model.precompiledCharsmap();
    if (charsmap.hasRemaining()) {
      byte[] bytes = new byte[charsmap.remaining()];
      charsmap.duplicate().get(bytes);
      normalizers
          .addObject()
          .put("type", "Precompiled")
          .put("precompiled_charsmap", bytes); // Jackson writes bytes as Base64
    }
    normalizers
        .addObject()
        .put("type", "Replace")
        .put("content", " ")
        .putObject("pattern")
        .put("Regex", " {2,}");
    ArrayNode split =
        root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    if (config.flag("split_by_punct", false)) {
      split.addObject().put("type", "Punctuation").put("behavior", "Isolated");
    }
    split
        .addObject()
        .put("type", "Metaspace")
        .put("replacement", "▁")
        .put("prepend_scheme", "always")
        .put("split", true);
    return finished(file, root, ids, BERT_TOKENS);
  }

  /** Adds the special tokens that the vocabulary has, and puts those of texts at both ends. */
  private static TokenizerJson finished(
      TokenizerFile file, ObjectNode root, Map<String, Integer> ids, List<String> special) {
    boolean bert = special.equals(BERT_TOKENS);
    String first = bert ? "[CLS]" : "<s>";
    String last = bert ? "[SEP]" : "</s>";
    for (String token : List.of(first, last)) {
      if (!ids.containsKey(token)) {
        throw file.damaged("lacks the token '%s'".formatted(token));
      }
    }
    TokenizerJson json = new TokenizerJson(file, root);
    json.add(
        special.stream()
            .filter(ids::containsKey)
            .map(token -> added(token, ids.get(token)))
            .toList());
    ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
    ArrayNode single = processor.putArray("single");
    special(single, first);
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    special(single, last);
    ArrayNode pair = processor.putArray("pair");
    pair.addAll(single);
    pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 0);
    ObjectNode tokens = processor.putObject("special_tokens");
    for (String token : List.of(first, last)) {
      ObjectNode entry = tokens.putObject(token).put("id", token);
      entry.putArray("ids").add(ids.get(token));
      entry.putArray("tokens").add(token);
    }
    return json;
  }

  private static void special(ArrayNode template, String token) {
    template.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
  }

  /** The mask takes the space before it along. */
  private static AddedToken added(String token, int id) {
    boolean lstrip = token.equals("<mask>");
    return new AddedToken(OptionalInt.of(id), token, false, lstrip, false, false, true);
  }
}
