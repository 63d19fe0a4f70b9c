package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The settings of a tokenizer directory: {@code tokenizer_config.json}, and for older checkpoints
 * {@code special_tokens_map.json} and {@code added_tokens.json}, which are read only if the first
 * has no {@code added_tokens_decoder}.
 *
 * @param json {@code tokenizer_config.json}, overridden by the special tokens map where that is
 *     read
 * @param tokenizerClass that the file names; T5's if it names none and there is a {@code
 *     spiece.model}
 * @param addedTokens sorted by their ids
 */
record TokenizerConfig(
    ComponentConfig json, Optional<TokenizerClass> tokenizerClass, List<AddedToken> addedTokens) {

  private static final List<String> SIDES = List.of("left", "right");

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

  /**
   * Keys that decide how ids become text, how Python holds files, or what a chat looks like, which
   * no prompt here is.
   */
  private static final Set<String> IDLE =
      Set.of(
          "added_tokens_decoder",
          "auto_map",
          "backend",
          "chat_template",
          "clean_up_tokenization_spaces",
          "do_lower_case", // CLIP's class lowers the case in any event
          "errors",
          "extra_ids",
          "from_slow",
          "is_local",
          "legacy", // of T5's class in Python, whose files are read as the one in Rust reads them
          "max_length",
          "model_input_names",
          "name_or_path",
          "pad_to_multiple_of",
          "pad_token_type_id",
          "processor_class",
          "sp_model_kwargs",
          "special_tokens_map_file",
          "stride",
          "tokenizer_class",
          "tokenizer_file",
          "truncation_strategy",
          "use_fast",
          "vocab_file",
          "merges_file");

  private static final int MOST_EXTRA_IDS = 10_000;

  /**
   * Reads the settings.
   *
   * @param indexed the class that the checkpoint's index names, which decides
   */
  static TokenizerConfig read(Path directory, Optional<TokenizerClass> indexed) {
    TokenizerConfig config = settings(directory, indexed);
    config.requireKnownKeys();
    return config;
  }

  private void requireKnownKeys() {
    padsLeft();
    truncatesLeft();
    modelMaxLength();
    specialTokens();
    json.requireFlag("split_special_tokens", false);
    json.requireFlag("add_bos_token", false);
    boolean t5 = tokenizerClass.filter(TokenizerClass.T5::equals).isPresent();
    json.requireFlag("add_eos_token", t5);
    if (t5) {
      json.requireFlag("add_prefix_space", true);
    } else if (tokenizerClass.filter(TokenizerClass.QWEN2::equals).isPresent()) {
      json.requireFlag("add_prefix_space", false);
    } else {
      json.flag("add_prefix_space", false); // CLIP separates words in another way
    }
    if (json.integer("extra_ids", 0) > MOST_EXTRA_IDS) {
      throw json.wrong("extra_ids", "at most " + MOST_EXTRA_IDS);
    }
    Set<String> idle = new HashSet<>(IDLE);
    idle.addAll(EXTRA_SPECIAL_TOKENS);
    json.requireAllRead(idle);
  }

  private static TokenizerConfig settings(Path directory, Optional<TokenizerClass> indexed) {
    TokenizerFile file = new TokenizerFile(directory.resolve("tokenizer_config.json"));
    ObjectNode root = file.jsonIfExists().orElseGet(JsonNodeFactory.instance::objectNode);
    ComponentConfig json = new ComponentConfig(file.path(), root);
    Optional<TokenizerClass> tokenizerClass =
        indexed.isPresent() ? indexed : tokenizerClass(directory, json);
    Optional<ComponentConfig> decoder = json.object("added_tokens_decoder");
    if (decoder.isPresent()) {
      return new TokenizerConfig(json, tokenizerClass, stored(decoder.get()));
    }
    new TokenizerFile(directory.resolve("special_tokens_map.json"))
        .jsonIfExists()
        .ifPresent(root::setAll);
    TokenizerConfig config = new TokenizerConfig(json, tokenizerClass, List.of());
    TokenizerFile added = new TokenizerFile(directory.resolve("added_tokens.json"));
    return new TokenizerConfig(
        json,
        tokenizerClass,
        added
            .jsonIfExists()
            .map(ids -> config.legacy(new ComponentConfig(added.path(), ids)))
            .orElse(List.of()));
  }

  private static Optional<TokenizerClass> tokenizerClass(Path directory, ComponentConfig json) {
    if (json.has("tokenizer_class")) {
      return TokenizerClass.named(json.text("tokenizer_class"));
    }
    return new TokenizerFile(directory.resolve("spiece.model")).exists()
        ? Optional.of(TokenizerClass.T5)
        : Optional.empty();
  }

  private static List<AddedToken> stored(ComponentConfig decoder) {
    List<AddedToken> tokens = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : decoder.json().properties()) {
      String id = entry.getKey();
      if (!id.matches("\\d{1,9}")) {
        throw decoder.wrong(id, "stored under a token id, a whole number from 0");
      }
      tokens.add(
          AddedToken.stored(
              Integer.parseInt(id),
              decoder.object(id).orElseThrow(() -> decoder.wrong(id, "an object"))));
    }
    return sorted(tokens);
  }

  private List<AddedToken> legacy(ComponentConfig ids) {
    Set<String> special =
        specialTokens().values().stream().map(AddedToken::content).collect(Collectors.toSet());
    extraSpecialTokens().forEach(token -> special.add(token.content()));
    List<AddedToken> tokens = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : ids.json().properties()) {
      String content = entry.getKey();
      tokens.add(AddedToken.legacy(ids.index(content), content, special.contains(content)));
    }
    return sorted(tokens);
  }

  private static List<AddedToken> sorted(List<AddedToken> tokens) {
    return tokens.stream().sorted(Comparator.comparing(token -> token.id().orElseThrow())).toList();
  }

  /**
   * The tokens that have a role, by the role's name, such as {@code pad_token}. A role that is
   * absent takes the default of the tokenizer's class; a role that is null has no token.
   */
  Map<String, AddedToken> specialTokens() {
    Map<String, String> defaults =
        tokenizerClass.map(TokenizerClass::specialTokens).orElse(Map.of());
    Map<String, AddedToken> tokens = new LinkedHashMap<>();
    for (String role : ROLES) {
      if (json.has(role)) {
        tokens.put(role, token(role, json.json().get(role)));
      } else if (!json.json().has(role) && defaults.containsKey(role)) {
        tokens.put(role, AddedToken.special(defaults.get(role)));
      }
    }
    return tokens;
  }

  /** Special tokens without a role, such as T5's {@code <extra_id_0>}. */
  List<AddedToken> extraSpecialTokens() {
    List<AddedToken> tokens = new ArrayList<>();
    for (String key : EXTRA_SPECIAL_TOKENS) {
      json.json().path(key).forEach(node -> tokens.add(token(key, node)));
    }
    return tokens;
  }

  /** A token that is stored as its text alone, or as an object. */
  private AddedToken token(String key, JsonNode node) {
    if (node.isTextual()) {
      return AddedToken.special(node.textValue());
    } else if (!node.isObject()) {
      throw json.wrong(key, "made of strings and objects with a 'content'");
    }
    return AddedToken.special(new ComponentConfig(json.source().below(key), node));
  }

  /** The longest text; checkpoints without a limit store none, or 1e30. */
  int modelMaxLength() {
    return (int) Math.min(json.number("model_max_length", Integer.MAX_VALUE), Integer.MAX_VALUE);
  }

  /** Whether padding precedes the text instead of following it. */
  boolean padsLeft() {
    return json.choice("padding_side", "right", SIDES).equals("left");
  }

  /** Whether the start of a text that is too long is cut off instead of its end. */
  boolean truncatesLeft() {
    return json.choice("truncation_side", "right", SIDES).equals("left");
  }
}
