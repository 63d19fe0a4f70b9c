package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;

/** CLIP's tokenizer, made from {@code vocab.json} and {@code merges.txt}. */
final class ClipTokenizerJson {

  private ClipTokenizerJson() {}

  static TokenizerJson read(Path directory, TokenizerConfig config) {
    TokenizerJson json = BytePairVocabulary.read(directory).tokenizer("clip.json", config);
    ObjectNode root = json.root();
    ((ObjectNode) root.get("model")).put("unk_token", json.token(config, "unk_token"));
    ((ObjectNode) root.get("post_processor"))
        .<ObjectNode>set("cls", tokenAndId(json, config, "bos_token"))
        .set("sep", tokenAndId(json, config, "eos_token"));
    return json;
  }

  private static ArrayNode tokenAndId(TokenizerJson json, TokenizerConfig config, String role) {
    return json.root().arrayNode().add(json.token(config, role)).add(json.id(config, role));
  }
}
