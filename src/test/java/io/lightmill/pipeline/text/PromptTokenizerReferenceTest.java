package io.lightmill.pipeline.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares ids with those of transformers. */
class PromptTokenizerReferenceTest {

  private static final Path RESOURCES = Path.of("src/test/resources");
  private static final Path T5 =
      TokenizerCalls.REFERENCE.resolve("flux-schnell/checkpoint/tokenizer_2");

  static Stream<TokenizerCalls.Call> calls() {
    return Stream.of("flux-schnell", "flux-dev", "sd3", "sd35")
        .flatMap(model -> TokenizerCalls.of(model).stream());
  }

  @ParameterizedTest
  @MethodSource("calls")
  void encodesAsInDiffusersPipelines(TokenizerCalls.Call call) {
    try (PromptTokenizer tokenizer = PromptTokenizer.open(call.tokenizer())) {
      TokenIds encoded = tokenizer.encode(call.text(), call.maxLength());

      assertThat(encoded.ids()).containsExactly(call.ids().toArray(new Long[0]));
      assertThat(encoded.attentionMask())
          .containsExactly(call.attentionMask().toArray(new Long[0]));
    }
  }

  @Test
  void someCallsOfTheReferenceAreTruncatedAndSomeAreNot() {
    assertThat(calls().map(call -> call.attentionMask().get(call.maxLength() - 1)))
        .contains(0L, 1L);
  }

  static Stream<Map.Entry<String, JsonNode>> hardTexts() throws IOException {
    return json("tokenizers/hard_texts.json").get("ids").properties().stream();
  }

  @ParameterizedTest
  @MethodSource("hardTexts")
  void encodesHardUnicodeAsTransformers(Map.Entry<String, JsonNode> expected) throws IOException {
    try (PromptTokenizer tokenizer = PromptTokenizer.open(RESOURCES.resolve(expected.getKey()))) {
      assertIds(tokenizer, expected.getValue());
    }
  }

  @Test
  void makesTheSameIdsFromTheSentencePieceModelAlone(@TempDir Path directory) throws IOException {
    Files.copy(T5.resolve("spiece.model"), directory.resolve("spiece.model"));
    try (PromptTokenizer tokenizer = PromptTokenizer.open(directory)) {
      assertThat(tokenizer.encode("", 8).ids()[7]).isZero();
      assertIds(tokenizer, hardIds("reference/flux-schnell/checkpoint/tokenizer_2"));
    }
  }

  @Test
  void makesTheSameIdsFromTheSentencePieceModelWithItsConfig(@TempDir Path directory)
      throws IOException {
    for (String file :
        List.of("spiece.model", "tokenizer_config.json", "special_tokens_map.json")) {
      Files.copy(T5.resolve(file), directory.resolve(file));
    }
    try (PromptTokenizer tokenizer = PromptTokenizer.open(directory)) {
      assertThat(tokenizer.modelMaxLength()).isEqualTo(512);
      assertIds(tokenizer, hardIds("reference/flux-schnell/checkpoint/tokenizer_2"));
    }
  }

  @Test
  void readsTheSpecialTokensMapOfOlderCheckpoints(@TempDir Path directory) throws IOException {
    Path clip = RESOURCES.resolve("tokenizers/clip_pad_exclamation_mark");
    for (String file : List.of("vocab.json", "merges.txt", "special_tokens_map.json")) {
      Files.copy(clip.resolve(file), directory.resolve(file));
    }
    Files.writeString(
        directory.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"CLIPTokenizerFast\"}");
    try (PromptTokenizer tokenizer = PromptTokenizer.open(directory)) {
      assertThat(tokenizer.encode("", 8).ids()[7]).isZero();
      assertIds(tokenizer, hardIds("tokenizers/clip_pad_exclamation_mark"));
    }
  }

  @Test
  void readsTheAddedTokensOfOlderCheckpoints(@TempDir Path directory) throws IOException {
    Path qwen = RESOURCES.resolve("tokenizers/qwen2");
    for (String file :
        List.of("vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json")) {
      Files.copy(qwen.resolve(file), directory.resolve(file));
    }
    Files.writeString(
        directory.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"Qwen2Tokenizer\"}");
    try (PromptTokenizer tokenizer = PromptTokenizer.open(directory)) {
      assertThat(tokenizer.encode("", 8).ids()[7]).isEqualTo(748);
      assertIds(tokenizer, hardIds("tokenizers/qwen2"));
    }
  }

  private static JsonNode hardIds(String directory) throws IOException {
    return json("tokenizers/hard_texts.json").get("ids").get(directory);
  }

  private static void assertIds(PromptTokenizer tokenizer, JsonNode expected) throws IOException {
    JsonNode texts = json("tokenizers/hard_texts.json").get("texts");
    assertThat(expected).hasSameSizeAs(texts);
    for (int i = 0; i < texts.size(); i++) {
      String text = texts.get(i).asText();
      List<Long> ids = new ArrayList<>();
      expected.get(i).forEach(id -> ids.add(id.asLong()));
      assertThat(tokenizer.count(text)).as(text).isEqualTo(ids.size());
      assertThat(tokenizer.encode(text, ids.size()).ids())
          .as(text)
          .containsExactly(ids.toArray(new Long[0]));
    }
  }

  private static JsonNode json(String resource) throws IOException {
    return new ObjectMapper().readTree(RESOURCES.resolve(resource).toFile());
  }
}
