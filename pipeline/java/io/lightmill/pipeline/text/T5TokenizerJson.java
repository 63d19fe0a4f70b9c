package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.text.SentencePieceModel.Piece;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** T5's tokenizer, made from {@code spiece.model}. */
final class T5TokenizerJson {

  private static final int DEFAULT_EXTRA_IDS = 100;

  private T5TokenizerJson() {}

  static TokenizerJson read(Path directory, TokenizerConfig config) {
    TokenizerFile file = new TokenizerFile(directory.resolve("spiece.model"));
    SentencePieceModel model = SentencePieceModel.read(file);
    List<String> extraIds = extraIds(config);
    ObjectNode root = TokenizerJson.skeleton("t5.json");
    ObjectNode unigram = (ObjectNode) root.get("model");
    unigram.put("unk_id", model.unknownId().orElseThrow());
    unigram.set("vocab", vocabulary(root, model, extraIds));
    normalize(root, model.precompiledCharsmap());
    TokenizerJson json = new TokenizerJson(file, root);
    json.add(config);
    json.add(extraIds.stream().map(AddedToken::special).toList());
    json.add(symbols(model));
    appendToken(root, json.token(config, "eos_token"), json.id(config, "eos_token"));
    return json;
  }

  /** T5's sentinel tokens, which its SentencePiece model lacks. */
  private static List<String> extraIds(TokenizerConfig config) {
    List<String> tokens = new ArrayList<>();
    for (int i = config.json().integer("extra_ids", DEFAULT_EXTRA_IDS) - 1; i >= 0; i--) {
      tokens.add("<extra_id_" + i + ">");
    }
    return tokens;
  }

  private static ArrayNode vocabulary(
      ObjectNode root, SentencePieceModel model, List<String> extraIds) {
    ArrayNode vocabulary = root.arrayNode();
    for (Piece piece : model.pieces()) {
      vocabulary.addArray().add(piece.text()).add((double) piece.score());
    }
    for (String token : extraIds) {
      vocabulary.addArray().add(token).add(0.0);
    }
    return vocabulary;
  }

  private static void normalize(ObjectNode root, ByteBuffer charsmap) {
    if (charsmap.hasRemaining()) {
      byte[] bytes = new byte[charsmap.remaining()];
      charsmap.duplicate().get(bytes);
      root.putObject("normalizer")
          .put("type", "Precompiled")
          .put("precompiled_charsmap", bytes); // Jackson writes bytes as Base64
    }
  }

  private static List<AddedToken> symbols(SentencePieceModel model) {
    List<AddedToken> tokens = new ArrayList<>();
    for (int id = 0; id < model.pieces().size(); id++) {
      Piece piece = model.pieces().get(id);
      if (piece.type() == Piece.CONTROL || piece.type() == Piece.USER_DEFINED) {
        boolean special = piece.type() == Piece.CONTROL;
        tokens.add(
            new AddedToken(OptionalInt.of(id), piece.text(), false, false, false, false, special));
      }
    }
    return tokens;
  }

  /** Appends a token to every text. */
  private static void appendToken(ObjectNode root, String token, int id) {
    ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
    for (String template : List.of("single", "pair")) {
      ArrayNode parts = processor.putArray(template);
      for (String sequence : template.equals("single") ? List.of("A") : List.of("A", "B")) {
        parts.addObject().putObject("Sequence").put("id", sequence).put("type_id", 0);
        parts.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
      }
    }
    ObjectNode special = processor.putObject("special_tokens").putObject(token);
    special.put("id", token).putArray("ids").add(id);
    special.putArray("tokens").add(token);
  }
}
