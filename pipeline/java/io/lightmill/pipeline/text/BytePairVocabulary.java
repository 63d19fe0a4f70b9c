package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A byte-pair encoding in the layout of OpenAI's CLIP and of GPT-2.
 *
 * @param file {@code vocab.json}, for messages
 * @param vocab ids by token
 * @param merges pairs of tokens, most frequent first
 */
record BytePairVocabulary(TokenizerFile file, ObjectNode vocab, ArrayNode merges) {

  static BytePairVocabulary read(Path directory) {
    TokenizerFile file = new TokenizerFile(directory.resolve("vocab.json"));
    ObjectNode vocab = file.json();
    vocab.fieldNames().forEachRemaining(new ComponentConfig(file.path(), vocab)::index);
    return new BytePairVocabulary(
        file, vocab, merges(new TokenizerFile(directory.resolve("merges.txt")), vocab));
  }

  private static ArrayNode merges(TokenizerFile file, ObjectNode vocab) {
    ArrayNode merges = vocab.arrayNode();
    List<String> lines = file.lines();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (!line.startsWith("#version") && !line.isBlank()) {
        requireMerge(file, i + 1, line, vocab);
        merges.add(line);
      }
    }
    if (merges.isEmpty()) {
      throw file.damaged("has no merges");
    }
    return merges;
  }

  private static void requireMerge(TokenizerFile file, int number, String line, ObjectNode vocab) {
    String[] pair = line.split(" ", -1);
    if (pair.length != 2) {
      throw file.damaged("has '%s' in line %d instead of two tokens".formatted(line, number));
    }
    for (String token : List.of(pair[0], pair[1], pair[0] + pair[1])) {
      if (!vocab.has(token)) {
        throw file.damaged(
            "has '%s' in line %d, but vocab.json lacks the token '%s'"
                .formatted(line, number, token));
      }
    }
  }

  /**
   * The tokenizer with this encoding as its model.
   *
   * @param skeleton name of a {@linkplain TokenizerJson#skeleton skeleton}
   */
  TokenizerJson tokenizer(String skeleton, TokenizerConfig config) {
    ObjectNode root = TokenizerJson.skeleton(skeleton);
    ((ObjectNode) root.get("model")).setAll(Map.of("vocab", vocab, "merges", merges));
    TokenizerJson json = new TokenizerJson(file, root);
    json.add(config);
    return json;
  }
}
