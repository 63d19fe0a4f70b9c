package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a tokenizer directory says beside its vocabulary: {@code tokenizer_config.json}, and for
 * older checkpoints {@code special_tokens_map.json} and {@code added_tokens.json}, which count only
 * where the first has no {@code added_tokens_decoder}.
 *
 * @param file {@code tokenizer_config.json}, for messages
 * @param root its content, with that of the special tokens map over it where that counts
 * @param tokenizerClass that the file names; T5's too where it names none beside a {@code
 *     spiece.model}
 * @param addedTokens with their ids, in their order
 */
record TokenizerConfig(
    TokenizerFile file,
    ObjectNode root,
    Optional<TokenizerClass> tokenizerClass,
    List<AddedToken> addedTokens) {

  private static final List<String> ROLES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");
  private static final List<String> EXTRA_SPECIAL_TOKENS =
      List.of("additional_special_tokens", "extra_special_tokens");

  static TokenizerConfig read(Path directory) {
    TokenizerFile file = new TokenizerFile(directory.resolve("tokenizer_config.json"));
    ObjectNode root = file.jsonIfExists().orElseGet(JsonNodeFactory.instance::objectNode);
    Optional<TokenizerClass> tokenizerClass = tokenizerClass(directory, root);
    if (root.has("added_tokens_decoder")) {
      List<AddedToken> added = stored(file, root.get("added_tokens_decoder"));
      return new TokenizerConfig(file, root, tokenizerClass, added);
    }
    new TokenizerFile(directory.resolve("special_tokens_map.json"))
        .jsonIfExists()
        .ifPresent(root::setAll);
    TokenizerConfig config = new TokenizerConfig(file, root, tokenizerClass, List.of());
    List<AddedToken> added =
        new TokenizerFile(directory.resolve("added_tokens.json"))
            .jsonIfExists()
            .map(config::legacy)
            .orElse(List.of());
    return new TokenizerConfig(file, root, tokenizerClass, added);
  }

  private static Optional<TokenizerClass> tokenizerClass(Path directory, ObjectNode root) {
    String name = root.path("tokenizer_class").textValue();
    if (name != null) {
      return TokenizerClass.named(name);
    }
    return new TokenizerFile(directory.resolve("spiece.model")).exists()
        ? Optional.of(TokenizerClass.T5)
        : Optional.empty();
  }

  private static List<AddedToken> stored(TokenizerFile file, JsonNode decoder) {
    List<AddedToken> tokens = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : decoder.properties()) {
      try {
        tokens.add(AddedToken.stored(Integer.parseInt(entry.getKey()), entry.getValue()));
      } catch (NumberFormatException e) {
        throw file.damaged(
            "has the key '%s' in added_tokens_decoder, which is no token id"
                .formatted(entry.getKey()),
            e);
      }
    }
    return sorted(tokens);
  }

  private List<AddedToken> legacy(ObjectNode ids) {
    List<String> special = new ArrayList<>();
    specialTokens().values().forEach(token -> special.add(token.content()));
    extraSpecialTokens().forEach(token -> special.add(token.content()));
    List<AddedToken> tokens = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : ids.properties()) {
      String content = entry.getKey();
      tokens.add(AddedToken.legacy(entry.getValue().asInt(), content, special.contains(content)));
    }
    return sorted(tokens);
  }

  private static List<AddedToken> sorted(List<AddedToken> tokens) {
    return tokens.stream().sorted(Comparator.comparing(token -> token.id().orElseThrow())).toList();
  }

  /**
   * The tokens that have a role, by its name, such as {@code pad_token}. Where the files do not
   * speak of a role, the tokenizer's class decides; one that a file sets to null is empty.
   */
  Map<String, AddedToken> specialTokens() {
    Map<String, String> defaults =
        tokenizerClass.map(TokenizerClass::specialTokens).orElse(Map.of());
    Map<String, AddedToken> tokens = new LinkedHashMap<>();
    for (String role : ROLES) {
      JsonNode named = root.get(role);
      if (named == null && defaults.containsKey(role)) {
        tokens.put(role, AddedToken.special(defaults.get(role)));
      } else if (named != null && !named.isNull()) {
        tokens.put(role, AddedToken.named(named));
      }
    }
    return tokens;
  }

  /** Special tokens without a role, such as T5's {@code <extra_id_0>}. */
  List<AddedToken> extraSpecialTokens() {
    List<AddedToken> tokens = new ArrayList<>();
    for (String key : EXTRA_SPECIAL_TOKENS) {
      root.path(key).forEach(token -> tokens.add(AddedToken.named(token)));
    }
    return tokens;
  }

  /** Checkpoints without a limit write none, or 1e30. */
  int modelMaxLength() {
    JsonNode length = root.path("model_max_length");
    return length.isNumber() && length.doubleValue() < Integer.MAX_VALUE
        ? length.intValue()
        : Integer.MAX_VALUE;
  }

  /** Whether padding goes to the left of the text instead of to its right. */
  boolean padsLeft() {
    return "left".equals(root.path("padding_side").textValue());
  }

  /** Whether the start of an over-long text is cut off instead of its end. */
  boolean truncatesLeft() {
    return "left".equals(root.path("truncation_side").textValue());
  }
}
