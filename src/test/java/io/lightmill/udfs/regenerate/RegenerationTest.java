package io.lightmill.udfs.regenerate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.Pictures;
import io.lightmill.pipeline.image.PixelDifference;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.ProvenanceOptions;
import io.lightmill.udfs.option.WatermarkKey;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegenerationTest {

  private static final String POCKET = "builtin:pocket";

  private static final Regeneration PLAIN = with(GenerationOptions.EMPTY, null, null);

  private static Regeneration with(GenerationOptions options, String prompt, String negative) {
    return new Regeneration(options, Optional.ofNullable(prompt), Optional.ofNullable(negative));
  }

  private static GenerationOptions watermark(String key) {
    return GenerationOptions.EMPTY.with(ProvenanceOptions.WATERMARK, new WatermarkKey(key));
  }

  private static byte[] png(PromptMetadata prompts, String system) {
    return DrawnFile.file(FileFormat.of(ImageFormat.PNG), false, prompts, system);
  }

  @AfterAll
  static void close() {
    PLAIN.close();
  }

  @ParameterizedTest
  @CsvSource({"PNG, 0, FULL", "JPEG, 0, HASH", "JPEG, 60, FULL", "WEBP, 0, NONE", "WEBP, 50, FULL"})
  void everyFileIsDrawnAgainBitForBit(ImageFormat format, int quality, PromptMetadata prompts) {
    byte[] file = DrawnFile.file(new FileFormat(format, quality), true, prompts, POCKET);
    boolean hidden = prompts != PromptMetadata.FULL;

    try (Regeneration regeneration =
        with(
            watermark(DrawnFile.WATERMARK),
            hidden ? DrawnFile.PROMPT : null,
            hidden ? "blurry" : null)) {
      Regenerated again = regeneration.draw("image", file);

      assertThat(again.pixels()).isEqualTo(new PixelDifference(64 * 64, 0, 0));
      assertThat(again.file()).isEqualTo(file);
      assertThat(again.sameFile()).isTrue();
      assertThat(again.signed()).isFalse();
    }
  }

  @Test
  void anImageOfAnotherCheckpointIsRefused() {
    String receipt = new String(DrawnFile.png(), StandardCharsets.ISO_8859_1);
    String other = "0".repeat(DrawnFile.digest().length());

    refused(
        PLAIN,
        Altered.receipt(DrawnFile.png(), DrawnFile.digest(), other),
        "'image' was drawn with the checkpoint of digest " + other,
        DrawnFile.digest() + "; give the one that drew it with --checkpoint");
    assertThat(receipt).contains(DrawnFile.digest());
  }

  /** A file may come from anywhere: nothing that it names is fetched. */
  @Test
  void aCheckpointThatAFileNamesIsOnlyOpenedIfItIsLocal() {
    refused(
        PLAIN,
        png(PromptMetadata.FULL, "s3a://bucket/model"),
        "'image' names the checkpoint 's3a://bucket/model', which cannot be used (only local ones");
    refused(
        PLAIN,
        png(PromptMetadata.FULL, "Example Images 3"),
        "'image' names the checkpoint 'Example Images 3', which cannot be used",
        "give the checkpoint of digest " + DrawnFile.digest() + " with --checkpoint");
    try (Regeneration named =
        with(GenerationOptions.EMPTY.with(ModelOptions.CHECKPOINT, POCKET), null, null)) {
      assertThat(named.draw("image", png(PromptMetadata.FULL, "Example Images 3")).sameFile())
          .isTrue();
    }
  }

  @Test
  void theWatermarksKeyIsNeeded() {
    byte[] marked =
        DrawnFile.file(FileFormat.of(ImageFormat.PNG), true, PromptMetadata.FULL, POCKET);

    refused(PLAIN, marked, "'image' has a watermark whose key has the fingerprint ");
    refused(with(watermark("another"), null, null), marked, "give that key with --watermark");
  }

  @Test
  void hiddenPromptsAreNeeded() {
    byte[] hashed = png(PromptMetadata.HASH, POCKET);

    refused(PLAIN, hashed, "give the prompts with --prompt and --negative-prompt");
    refused(
        with(GenerationOptions.EMPTY, "a blue mug", "blurry"),
        hashed,
        "the prompts given are not those of 'image'");
  }

  @Test
  void otherImagesAndReceiptsAreRefused() {
    refused(
        PLAIN,
        ImageEncoder.png(Pictures.noise(9, 9)),
        "'image' has no receipt of Lightmill; give an image as Lightmill stored it");
    refused(
        PLAIN,
        Altered.receipt(DrawnFile.png(), "\"num_inference_steps\":4", "\"num_inference_steps\":x"),
        "the receipt of 'image' is not a JSON object");
    refused(
        PLAIN,
        Altered.receipt(DrawnFile.png(), "\"num_inference_steps\":4", "\"num_inference_steps\":0"),
        "the receipt of 'image' cannot be drawn: num_inference_steps");
    refused(
        PLAIN,
        Altered.receipt(DrawnFile.png(), "{", "{\"endpoint\":\"fal:x\",\"reproducible\":false,"),
        "'image' was drawn by the hosted model 'fal:x'");
    refused(
        PLAIN,
        Altered.receipt(DrawnFile.png(), "\"format\":\"png\"", "\"format\":\"gif\""),
        "the receipt of 'image' has no valid 'format'");
    refused(
        PLAIN,
        Altered.receipt(DrawnFile.png(), "\"height\":64,", "\"height\":64,\"heat\":2,"),
        "or has values that this version does not know");
  }

  @Test
  void alteredPixelsAreCounted() {
    byte[] file = DrawnFile.png();
    RgbImage image = Altered.pixels(file);
    byte[] rgb = image.rgb().clone();
    rgb[5] ^= 3;
    rgb[6] ^= 1;

    Regenerated again = PLAIN.draw("image", Altered.pixels(file, new RgbImage(64, 64, rgb)));

    int most = Math.abs((rgb[5] & 0xff) - (image.rgb()[5] & 0xff));
    assertThat(most).isBetween(1, 3);
    assertThat(again.pixels()).isEqualTo(new PixelDifference(64 * 64, 2, most));
    assertThat(again.sameFile()).isFalse();
    refused(
        PLAIN,
        Altered.pixels(file, Pictures.noise(64, 32)),
        "'image' has 64x32 pixels, but its receipt says 64x64");
  }

  private static void refused(Regeneration regeneration, byte[] file, String... message) {
    assertThatThrownBy(() -> regeneration.draw("image", file))
        .isInstanceOf(LightmillException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(message));
  }
}
