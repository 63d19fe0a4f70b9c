package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;

/** The tokenizer of Qwen 2 and Qwen 3, made from {@code vocab.json} and {@code merges.txt}. */
final class Qwen2TokenizerJson {

  private Qwen2TokenizerJson() {}

  static TokenizerJson read(Path directory, TokenizerConfig config) {
    BytePairVocabulary vocabulary = BytePairVocabulary.read(directory);
    ObjectNode root = vocabulary.addTo(TokenizerJson.skeleton("qwen2.json"));
    TokenizerJson json = new TokenizerJson(vocabulary.file(), root);
    json.add(config);
    return json;
  }
}
