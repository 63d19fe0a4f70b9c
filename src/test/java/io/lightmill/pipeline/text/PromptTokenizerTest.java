package io.lightmill.pipeline.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptTokenizerTest {

  private static final Path SCHNELL = TokenizerCalls.REFERENCE.resolve("flux-schnell/checkpoint");
  private static final Path CLIP = SCHNELL.resolve("tokenizer");
  private static final Path T5 = SCHNELL.resolve("tokenizer_2");
  private static final long BOS = 912;
  private static final long EOS = 913;
  private static final String PHOTO = "a photo of a red ceramic mug on a white table";

  @Test
  void anEmptyPromptHasOnlySpecialTokens() {
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP);
        PromptTokenizer t5 = PromptTokenizer.open(T5)) {
      assertThat(clip.encode("", 4).ids()).containsExactly(BOS, EOS, EOS, EOS);
      assertThat(clip.encode("", 4).attentionMask()).containsExactly(1, 1, 0, 0);
      assertThat(t5.encode(" \t\n", 3).ids()).containsExactly(1, 0, 0);
      assertThat(t5.encode("", 3).attentionMask()).containsExactly(1, 0, 0);
      assertThat(clip.count("")).isEqualTo(2);
      assertThat(t5.count("")).isEqualTo(1);
    }
  }

  /** Ids of transformers with {@code padding="max_length", max_length=8, truncation=True}. */
  @Test
  void truncationKeepsTheSpecialTokens() {
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP)) {
      TokenIds cut = clip.encode(PHOTO, 8);
      assertThat(cut.ids()).containsExactly(BOS, 320, 696, 512, 320, 792, 778, EOS);
      assertThat(cut.attentionMask()).containsOnly(1);
      TokenIds padded = clip.encode("red mug", 8);
      assertThat(padded.ids()).containsExactly(BOS, 792, 882, EOS, EOS, EOS, EOS, EOS);
      assertThat(clip.encode(PHOTO, 2).ids()).containsExactly(BOS, EOS);
    }
  }

  @Test
  void aConfigMayTruncateAndPadOnTheLeft(@TempDir Path directory) throws IOException {
    copy(CLIP, directory);
    Path file = directory.resolve("tokenizer_config.json");
    ObjectNode config = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    config.put("truncation_side", "left").put("padding_side", "left");
    Files.writeString(file, config.toString());
    try (PromptTokenizer clip = PromptTokenizer.open(directory)) {
      assertThat(clip.encode(PHOTO, 8).ids())
          .containsExactly(BOS, 778, 882, 514, 320, 688, 771, EOS);
      TokenIds padded = clip.encode("red mug", 8);
      assertThat(padded.ids()).containsExactly(EOS, EOS, EOS, EOS, BOS, 792, 882, EOS);
      assertThat(padded.attentionMask()).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
    }
  }

  @Test
  void specialTokensInThePromptAreTruncatedLikeText() {
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP)) {
      assertThat(clip.encode("<|startoftext|><|startoftext|> red mug <|endoftext|>", 5).ids())
          .containsExactly(BOS, BOS, BOS, 792, EOS);
    }
  }

  @Test
  void aLengthThatTheSpecialTokensDoNotFitIsRefused() {
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> clip.encode("red mug", 1))
          .withMessage("1 tokens are too few for the 2 special ones");
    }
  }

  /** Longer than the 512 tokens that DJL would clamp to. */
  @Test
  void veryLongPromptsAreCountedFullyAndTruncatedToAnyLength() {
    String text = "red mug ".repeat(20_000);
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP);
        PromptTokenizer t5 = PromptTokenizer.open(T5)) {
      assertThat(clip.count(text)).isEqualTo(40_002);
      assertThat(clip.encode(text, 77).ids())
          .hasSize(77)
          .startsWith(BOS, 792)
          .endsWith(882, 792, EOS);
      assertThat(t5.encode(text, 1000).ids()).hasSize(1000).endsWith(1);
      assertThat(t5.encode(text, 1000).ids()[998]).isNotZero();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\0", "a\ud83d", "\ude00b", "\u0001\u001b[31m\u0007", "\uffff\u202e", "🪴日本"})
  void anyJavaStringHasIds(String text) {
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP);
        PromptTokenizer t5 = PromptTokenizer.open(T5)) {
      assertThat(clip.encode(text, 77).ids()).startsWith(BOS).endsWith(EOS).hasSize(77);
      assertThat(t5.encode(text, 16).ids()).contains(1).hasSize(16);
    }
  }

  @ParameterizedTest
  @CsvSource({"77,77", "1000000000000000019884624838656,2147483647", "null,2147483647"})
  void theMaximumLengthIsReadFromTheConfig(String stated, int expected, @TempDir Path directory)
      throws IOException {
    copy(CLIP, directory);
    Path file = directory.resolve("tokenizer_config.json");
    String config = Files.readString(file);
    Files.writeString(
        file, config.replace("\"model_max_length\": 77", "\"model_max_length\": " + stated));
    try (PromptTokenizer clip = PromptTokenizer.open(directory)) {
      assertThat(clip.modelMaxLength()).isEqualTo(expected);
    }
  }

  @Test
  void thePaddingTokenComesFromTheCheckpoint() {
    Path tokenizers = Path.of("src/test/resources/tokenizers");
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP);
        PromptTokenizer t5 = PromptTokenizer.open(T5);
        PromptTokenizer qwen = PromptTokenizer.open(tokenizers.resolve("qwen2"));
        PromptTokenizer exclamationMark =
            PromptTokenizer.open(tokenizers.resolve("clip_pad_exclamation_mark"))) {
      assertThat(clip.encode("", 8).ids()[7]).isEqualTo(EOS);
      assertThat(t5.encode("", 8).ids()[7]).isZero();
      assertThat(qwen.encode("", 8).ids()[7]).isEqualTo(748);
      assertThat(exclamationMark.encode("", 8).ids()[7]).isZero();
      assertThat(exclamationMark.encode("", 4).ids()).containsExactly(BOS, EOS, 0, 0);
    }
  }

  /** Some checkpoints store the truncation and padding that were used last. */
  @Test
  void theLengthInATokenizerJsonIsIgnored(@TempDir Path directory) throws IOException {
    copy(T5, directory);
    Path file = directory.resolve("tokenizer.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    json.putObject("truncation")
        .put("direction", "Right")
        .put("max_length", 5)
        .put("strategy", "LongestFirst")
        .put("stride", 0);
    json.putObject("padding")
        .put("direction", "Right")
        .put("pad_id", 0)
        .put("pad_type_id", 0)
        .put("pad_token", "<pad>")
        .putNull("pad_to_multiple_of")
        .putObject("strategy")
        .put("Fixed", 128);
    Files.writeString(file, json.toString());
    try (PromptTokenizer plain = PromptTokenizer.open(T5);
        PromptTokenizer stored = PromptTokenizer.open(directory)) {
      assertThat(stored.count(PHOTO)).isEqualTo(plain.count(PHOTO)).isGreaterThan(5);
      assertThat(stored.encode(PHOTO, 64).ids()).containsExactly(plain.encode(PHOTO, 64).ids());
    }
  }

  /** transformers adds the tokens that only the config has. */
  @Test
  void tokensThatOnlyTheConfigHasAreAdded(@TempDir Path directory) throws IOException {
    copy(T5, directory);
    Path file = directory.resolve("tokenizer.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    json.putArray("added_tokens");
    Files.writeString(file, json.toString());
    try (PromptTokenizer plain = PromptTokenizer.open(T5);
        PromptTokenizer stripped = PromptTokenizer.open(directory)) {
      String text = "<extra_id_3>mug<extra_id_99>";
      assertThat(stripped.encode(text, 16).ids()).containsExactly(plain.encode(text, 16).ids());
      assertThat(plain.encode(text, 16).ids()).contains(596, 500);
    }
  }

  @Test
  void threadsShareATokenizer() {
    List<String> texts = IntStream.range(0, 400).mapToObj(i -> PHOTO + " no. " + i).toList();
    try (PromptTokenizer clip = PromptTokenizer.open(CLIP)) {
      List<long[]> alone = texts.stream().map(text -> clip.encode(text, 77).ids()).toList();
      List<long[]> together =
          texts.parallelStream().map(text -> clip.encode(text, 77).ids()).toList();
      assertThat(together).usingRecursiveComparison().isEqualTo(alone);
    }
  }

  @Test
  void closingWaitsForTextsThatAreBeingTokenized() {
    for (int round = 0; round < 20; round++) {
      PromptTokenizer clip = PromptTokenizer.open(CLIP);
      CountDownLatch busy = new CountDownLatch(2);
      List<CompletableFuture<Void>> tokenizing =
          Stream.generate(() -> CompletableFuture.runAsync(() -> tokenize(clip, busy)))
              .limit(2)
              .toList();
      assertThatNoException().isThrownBy(busy::await);

      clip.close();

      assertThat(tokenizing)
          .allSatisfy(
              thread ->
                  assertThat(thread)
                      .failsWithin(60, TimeUnit.SECONDS)
                      .withThrowableOfType(ExecutionException.class)
                      .withCauseInstanceOf(IllegalStateException.class));
    }
  }

  /** Ends when the tokenizer refuses. */
  private static void tokenize(PromptTokenizer tokenizer, CountDownLatch busy) {
    while (true) {
      tokenizer.count(PHOTO.repeat(20));
      busy.countDown();
    }
  }

  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }
}
