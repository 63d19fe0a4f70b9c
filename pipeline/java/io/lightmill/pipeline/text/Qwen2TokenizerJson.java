package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;

/** Qwen 2's tokenizer, which is Qwen 3's too, out of {@code vocab.json} and {@code merges.txt}. */
final class Qwen2TokenizerJson {

  private Qwen2TokenizerJson() {}

  static TokenizerJson read(Path directory, TokenizerConfig config) {
    BytePairVocabulary vocabulary = BytePairVocabulary.read(directory);
    ObjectNode root = vocabulary.in(TokenizerJson.skeleton("qwen2.json"));
    TokenizerJson json = new TokenizerJson(vocabulary.file(), root);
    json.add(config);
    return json;
  }
}
