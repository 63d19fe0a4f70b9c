package io.lightmill.pipeline.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The errors for damaged tokenizer files. */
class PromptTokenizerDamageTest {

  private static final Path SCHNELL = TokenizerCalls.REFERENCE.resolve("flux-schnell/checkpoint");

  @TempDir Path directory;

  @Test
  void aMissingDirectory() {
    assertRefused(directory.resolve("tokenizer"), "tokenizer is missing; fetch the checkpoint");
  }

  @Test
  void anEmptyDirectory() {
    assertRefused(
        directory,
        "has neither a tokenizer.json nor a tokenizer_config.json that names its tokenizer_class");
  }

  @Test
  void anUnknownTokenizerClass() throws IOException {
    write("tokenizer_config.json", "{\"tokenizer_class\": \"GemmaTokenizer\"}");
    assertRefused(directory, "\"GemmaTokenizer\"; save the tokenizer with transformers'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"vocab.json", "merges.txt"})
  void aMissingFile(String file) throws IOException {
    clip();
    Files.delete(directory.resolve(file));
    assertRefused(directory, file + " is missing; fetch the checkpoint again, with all its files");
  }

  @Test
  void aMissingSentencePieceModel() throws IOException {
    write("tokenizer_config.json", "{\"tokenizer_class\": \"T5TokenizerFast\"}");
    assertRefused(directory, "spiece.model is missing; fetch the checkpoint again");
  }

  @Test
  void aDirectoryInsteadOfAFile() throws IOException {
    clip();
    Files.delete(directory.resolve("vocab.json"));
    Files.createDirectory(directory.resolve("vocab.json"));
    assertRefused(directory, "vocab.json is a directory; replace it by a regular file");
  }

  @Test
  void truncatedJson() throws IOException {
    clip();
    for (String file : new String[] {"vocab.json", "tokenizer_config.json"}) {
      String whole = Files.readString(directory.resolve(file));
      write(file, whole.substring(0, whole.length() / 2));
      assertRefused(directory, file + " is not JSON (");
      write(file, whole);
    }
  }

  @Test
  void jsonOfTheWrongShape() throws IOException {
    clip();
    write("vocab.json", "[]");
    assertRefused(
        directory, "vocab.json does not hold a JSON object; fix it or fetch the checkpoint");
    write("vocab.json", "{\"a\": \"b\"}");
    assertRefused(directory, "vocab.json has \"b\" for 'a', which must be a whole number from 0");
    write("vocab.json", "{}");
    write("merges.txt", "#version: 0.2\n");
    assertRefused(directory, "merges.txt has no merges");
  }

  @Test
  void invalidMerges() throws IOException {
    clip();
    String whole = Files.readString(directory.resolve("merges.txt"));
    write("merges.txt", whole + "lonely\n");
    assertRefused(directory, "merges.txt has 'lonely' in line ", " instead of two tokens");
    write("merges.txt", whole + "o qqq\n");
    assertRefused(directory, "merges.txt has 'o qqq' in line ", "vocab.json lacks the token 'qqq'");
    write("merges.txt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    assertRefused(directory, "merges.txt is a pointer of Git LFS instead of the file");
    Files.write(directory.resolve("merges.txt"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    assertRefused(directory, "merges.txt is not UTF-8 text; fetch this file");
  }

  @Test
  void filesThatContradictEachOther() throws IOException {
    clip();
    String config = Files.readString(directory.resolve("tokenizer_config.json"));
    write("tokenizer_config.json", config.replace("\"913\": {", "\"7\": {"));
    assertRefused(
        directory,
        "vocab.json has the id 913 for the token '<|endoftext|>'",
        "added_tokens.json has 7");
    write("tokenizer_config.json", config.replace("\"913\": {", "\"last\": {"));
    assertRefused(
        directory, "for 'added_tokens_decoder.last', which must be stored under a token id");
    write(
        "tokenizer_config.json",
        config.replace("\"pad_token\": \"<|endoftext|>\"", "\"pad_token\": null"));
    assertRefused(directory, "tokenizer_config.json names no pad_token; add the one");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "padding_side": "top"                          | has "top" for 'padding_side', which must be one of left, right
          "truncation_side": true                        | has true for 'truncation_side', which must be one of
          "model_max_length": "long"                     | has "long" for 'model_max_length', which must be a number
          "tokenizer_class": 7                           | has 7 for 'tokenizer_class', which must be a string
          "pad_token": 7                                 | has 7 for 'pad_token', which must be made of strings and objects
          "pad_token": {"content": 7}                    | has 7 for 'pad_token.content', which must be a string
          "added_tokens_decoder": []                     | has [] for 'added_tokens_decoder', which must be an object
          "added_tokens_decoder": {"7": {}}              | lacks 'added_tokens_decoder.7.content', which must be a string
          "added_tokens_decoder": {"7": {"content": "a", "lstrip": 1}} | has 1 for 'added_tokens_decoder.7.lstrip', which must be true or false
          """)
  void configValuesOfTheWrongType(String entry, String message) throws IOException {
    clip();
    String config = Files.readString(directory.resolve("tokenizer_config.json"));
    write("tokenizer_config.json", config.replaceFirst("\\}\\s*\\z", ", " + entry + "}"));
    assertRefused(
        directory, "tokenizer_config.json " + message, "; fix it or fetch the checkpoint again");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 100, 4_000, 100_000, 247_074})
  void aTruncatedSentencePieceModel(int length) throws IOException {
    Files.write(directory.resolve("spiece.model"), Arrays.copyOf(sentencePiece(), length));
    assertRefused(directory, "spiece.model ", "fetch this file of the checkpoint again");
  }

  @Test
  void anInvalidSentencePieceModel() throws IOException {
    write("spiece.model", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    assertRefused(directory, "spiece.model is a pointer of Git LFS instead of the file");
    write("spiece.model", "no protocol buffer");
    assertRefused(directory, "spiece.model is not a SentencePiece ");
    write("spiece.model", "");
    assertRefused(directory, "spiece.model is not a SentencePiece unigram model");
  }

  /** The native library aborts the JVM on such a map. */
  @Test
  void aSentencePieceModelWithADamagedCharacterMap() throws IOException {
    byte[] model = sentencePiece();
    int map = indexOf(model, "nmt_nfkc".getBytes(StandardCharsets.US_ASCII)) + "nmt_nfkc".length();
    int trieLength = map + 4; // after the tag and a length of three bytes
    model[trieLength + 3] = 0x7f;
    Files.write(directory.resolve("spiece.model"), model);
    assertRefused(
        directory, "spiece.model has a character map with offsets outside the map; fetch");
  }

  @Test
  void aTokenizerJsonWithADamagedCharacterMap() throws IOException {
    PromptTokenizerTest.copy(SCHNELL.resolve("tokenizer_2"), directory);
    Path file = directory.resolve("tokenizer.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    ObjectNode normalizer = (ObjectNode) json.get("normalizer");
    byte[] map = normalizer.get("precompiled_charsmap").binaryValue();

    normalizer.put("precompiled_charsmap", Arrays.copyOf(map, map.length / 2));
    Files.writeString(file, json.toString());
    assertRefused(directory, "tokenizer.json has a character map with offsets outside the map");

    normalizer.put("precompiled_charsmap", "not Base64!");
    Files.writeString(file, json.toString());
    assertRefused(directory, "tokenizer.json has a character map that is not Base64");
  }

  @Test
  void anInvalidTokenizerJson() throws IOException {
    write("tokenizer_config.json", "{\"pad_token\": \"a\"}");
    write("tokenizer.json", "{}");
    assertRefused(directory, "tokenizer.json has no vocabulary; fetch this file");
    write("tokenizer.json", "{\"added_tokens\": {}, \"model\": {\"vocab\": {\"a\": 0}}}");
    assertRefused(directory, "tokenizer.json has 'added_tokens' that are no list; fetch this file");
    write("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}}}");
    assertRefused(directory, "tokenizer.json is not a valid tokenizer (");
  }

  /** The library finds out with the first text that needs the token. */
  @Test
  void anUnknownTokenOutsideOfTheVocabulary() throws IOException {
    write("vocab.json", "{\"a\": 0, \"b\": 1, \"ab\": 2, \"<|startoftext|>\": 3}");
    write("merges.txt", "a b\n");
    write("tokenizer_config.json", "{\"tokenizer_class\": \"CLIPTokenizer\"}");
    try (PromptTokenizer tokenizer = PromptTokenizer.open(directory)) {
      LightmillException e =
          catchThrowableOfType(LightmillException.class, () -> tokenizer.count("\u85cd"));
      assertThat(e)
          .hasMessageContainingAll(
              "vocab.json is a tokenizer that cannot read every text (Unk token",
              "fetch this file of the checkpoint again");
      assertThat(e.code()).isEqualTo(ErrorCode.CHECKPOINT_INVALID);
    }
  }

  private void clip() throws IOException {
    PromptTokenizerTest.copy(SCHNELL.resolve("tokenizer"), directory);
  }

  private void write(String file, String content) throws IOException {
    Files.writeString(directory.resolve(file), content);
  }

  private static byte[] sentencePiece() throws IOException {
    return Files.readAllBytes(SCHNELL.resolve("tokenizer_2/spiece.model"));
  }

  private static int indexOf(byte[] bytes, byte[] wanted) {
    for (int i = 0; i <= bytes.length - wanted.length; i++) {
      if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }

  private static void assertRefused(Path directory, String... message) {
    LightmillException refusal =
        catchThrowableOfType(
            LightmillException.class, () -> PromptTokenizer.open(directory).close());
    assertThat(refusal).isNotNull().hasMessageContainingAll(message);
    assertThat(refusal.code()).isEqualTo(ErrorCode.CHECKPOINT_INVALID);
    assertThat(refusal).hasMessageContaining(directory.toString());
  }
}
