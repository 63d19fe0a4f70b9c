package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * A tokenizer in the format that Hugging Face's tokenizers read: a checkpoint's own {@code
 * tokenizer.json}, or one made from the files of an older layout.
 */
final class TokenizerJson {

  private static final String CHARSMAP = "precompiled_charsmap";

  private final TokenizerFile source;
  private final ObjectNode root;
  private final Map<String, Integer> ids = new HashMap<>();
  private final int vocabularySize;

  /**
   * @param source the file with the vocabulary, for messages
   * @param root of the JSON, including the vocabulary
   */
  TokenizerJson(TokenizerFile source, ObjectNode root) {
    this.source = source;
    this.root = root;
    // The caller decides the length of each text.
    root.putNull("truncation").putNull("padding");
    JsonNode vocabulary = root.path("model").path("vocab");
    if (!vocabulary.isContainerNode() || vocabulary.isEmpty()) {
      throw source.damaged("has no vocabulary");
    }
    if (vocabulary.isObject()) {
      vocabulary.properties().forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
    } else {
      for (int id = 0; id < vocabulary.size(); id++) {
        ids.put(vocabulary.get(id).path(0).asText(), id);
      }
    }
    vocabularySize = vocabulary.size();
    JsonNode added = root.path("added_tokens");
    if (!added.isMissingNode() && !added.isNull() && !added.isArray()) {
      throw source.damaged("has 'added_tokens' that are no list");
    }
    root.withArray("added_tokens")
        .forEach(token -> ids.put(token.path("content").asText(), token.path("id").asInt()));
    root.path("normalizer").findParents(CHARSMAP).forEach(this::requireCharsmap);
  }

  private void requireCharsmap(JsonNode normalizer) {
    byte[] map;
    try {
      map = normalizer.get(CHARSMAP).binaryValue();
    } catch (IOException e) {
      throw source.damaged("has a character map that is not Base64", e);
    }
    if (map == null || !PrecompiledCharsmap.isSound(map)) {
      throw source.damaged("has a character map with offsets outside the map");
    }
  }

  /** A checkpoint's own file, with the tokens that its config adds. */
  static TokenizerJson read(TokenizerFile file, TokenizerConfig config) {
    TokenizerJson json = new TokenizerJson(file, file.json());
    json.add(config);
    return json;
  }

  /** The tokenizer of one class, without a vocabulary. */
  static ObjectNode skeleton(String name) {
    try (InputStream in = TokenizerJson.class.getResourceAsStream("/tokenizers/" + name)) {
      return (ObjectNode) new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Adds all tokens of a config. */
  void add(TokenizerConfig config) {
    add(config.addedTokens());
    add(config.specialTokens().values());
    add(config.extraSpecialTokens());
  }

  /** Adds those tokens that have not been added yet. */
  void add(Collection<AddedToken> tokens) {
    ArrayNode array = root.withArray("added_tokens");
    Map<String, Integer> added = new HashMap<>();
    array.forEach(token -> added.put(token.path("content").asText(), token.path("id").asInt()));
    for (AddedToken token : tokens) {
      if (!added.containsKey(token.content())) {
        int id = ids.computeIfAbsent(token.content(), content -> nextId(added.values()));
        if (token.id().orElse(id) != id) {
          throw source.damaged(
              "has the id %2$d for the token '%1$s', but tokenizer_config.json or added_tokens.json has %3$d"
                  .formatted(token.content(), id, token.id().getAsInt()));
        }
        added.put(token.content(), id);
        array.add(node(token, id));
      }
    }
  }

  private int nextId(Collection<Integer> added) {
    int greatest = added.stream().mapToInt(Integer::intValue).max().orElse(-1);
    return Math.max(vocabularySize, greatest + 1);
  }

  private ObjectNode node(AddedToken token, int id) {
    return root.objectNode()
        .put("id", id)
        .put("content", token.content())
        .put("single_word", token.singleWord())
        .put("lstrip", token.lstrip())
        .put("rstrip", token.rstrip())
        .put("normalized", token.normalized())
        .put("special", token.special());
  }

  /** The token of a role that the config must name, such as {@code pad_token}. */
  String token(TokenizerConfig config, String role) {
    AddedToken token = config.specialTokens().get(role);
    if (token == null) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s names no %s; add the one that the model was trained with"
              .formatted(config.json().source().name(), role));
    }
    return token.content();
  }

  /** The id of the token of a role that the config must name. */
  int id(TokenizerConfig config, String role) {
    return ids.get(token(config, role));
  }

  TokenizerFile source() {
    return source;
  }

  ObjectNode root() {
    return root;
  }

  @Override
  public String toString() {
    return root.toString();
  }
}
