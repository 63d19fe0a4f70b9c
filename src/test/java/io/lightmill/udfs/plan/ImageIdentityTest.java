package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.device.Model;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ImageIdentityTest {

  private static final Model MODEL =
      new Model(
          "somewhere", "d1g357", "FluxPipeline", "FlowMatchEulerDiscreteScheduler", "bfloat16");
  private static final ImageRequest REQUEST =
      ImageRequest.builder("a \"red\" mug, né")
          .width(1024)
          .height(768)
          .numInferenceSteps(28)
          .guidanceScale(3.5)
          .trueCfgScale(4.0)
          .maxSequenceLength(512)
          .seed(42)
          .build();

  private static final ImageRequest NEGATIVE =
      ImageRequest.builder("mug")
          .negativePrompt("blurry")
          .width(64)
          .height(48)
          .numInferenceSteps(2)
          .guidanceScale(0)
          .trueCfgScale(4.5)
          .maxSequenceLength(5)
          .seed(Long.MIN_VALUE)
          .build();

  private static String id(Model model, ImageFormat format, ImageRequest request) {
    return ImageIdentity.imageId(new ImageIdentity(model, format).canonicalJson(request));
  }

  /** Whoever changes this draws all images of all users again. */
  @Test
  void canonicalJsonIsPinned() {
    String json = new ImageIdentity(MODEL, ImageFormat.PNG).canonicalJson(REQUEST);

    assertThat(json)
        .isEqualTo(
            "{\"dtype\":\"bfloat16\",\"format\":\"png\",\"guidance_scale\":3.5,\"height\":768,"
                + "\"max_sequence_length\":512,\"model_digest\":\"d1g357\","
                + "\"negative_prompt\":null,\"num_inference_steps\":28,"
                + "\"pipeline\":\"FluxPipeline\",\"prompt\":\"a \\\"red\\\" mug, né\","
                + "\"scheduler\":\"FlowMatchEulerDiscreteScheduler\",\"seed\":42,"
                + "\"true_cfg_scale\":4,\"width\":1024}");
    assertThat(ImageIdentity.imageId(json)).isEqualTo("972d54394a889a66293b9dcfbb7d357f");
  }

  /** As outputs of users hold them: text, JSON and number forms that once were hashed. */
  @Test
  void identitiesThatManifestsHoldStayWhatTheyAre() {
    Model adapted =
        new Model(
            "m", "d1g357", "QwenImagePipeline", "S", "float32", Map.of("brand", "b4", "up", "57"));
    ImageRequest full =
        ImageRequest.builder("a {\"mug\"}\n\u0001 \ud83c\udf75 \u2028 <b>&/")
            .prompt2("second")
            .prompt3("")
            .negativePrompt(" ")
            .width(16)
            .height(2048)
            .numInferenceSteps(1000)
            .guidanceScale(1e-7)
            .trueCfgScale(1e22)
            .maxSequenceLength(1)
            .seed(-1)
            .lora(LoraBlend.parse("up@-0.25+brand@100"))
            .build();

    assertThat(List.of(id(adapted, ImageFormat.JPEG, full), id(MODEL, ImageFormat.PNG, NEGATIVE)))
        .containsExactly("1832c5c33de784a7ca4f2d00c8d69d01", "5d7afdae05716cec6877900046f8d07d");
  }

  @Test
  void everyPartThatDecidesPixelsDecidesTheIdentity() {
    Stream<String> ids =
        Stream.of(
            id(MODEL, ImageFormat.PNG, REQUEST),
            id(MODEL, ImageFormat.JPEG, REQUEST),
            id(new Model("m", "x", "FluxPipeline", "S", "bfloat16"), ImageFormat.PNG, REQUEST),
            id(new Model("m", "d1g357", "P", "S", "bfloat16"), ImageFormat.PNG, REQUEST),
            id(new Model("m", "d1g357", "FluxPipeline", "S", "float32"), ImageFormat.PNG, REQUEST),
            changed("x", Optional.empty(), 1024, 768, 28, 3.5, 4, 512, 42),
            changed(REQUEST.prompt(), Optional.of("x"), 1024, 768, 28, 3.5, 4, 512, 42),
            changed(REQUEST.prompt(), Optional.empty(), 768, 1024, 28, 3.5, 4, 512, 42),
            changed(REQUEST.prompt(), Optional.empty(), 1024, 768, 27, 3.5, 4, 512, 42),
            changed(REQUEST.prompt(), Optional.empty(), 1024, 768, 28, 3.6, 4, 512, 42),
            changed(REQUEST.prompt(), Optional.empty(), 1024, 768, 28, 3.5, 5, 512, 42),
            changed(REQUEST.prompt(), Optional.empty(), 1024, 768, 28, 3.5, 4, 256, 42),
            changed(REQUEST.prompt(), Optional.empty(), 1024, 768, 28, 3.5, 4, 512, 43),
            withPrompts(Optional.of("x"), Optional.empty()),
            withPrompts(Optional.empty(), Optional.of("x")));

    assertThat(ids).doesNotHaveDuplicates();
  }

  @Test
  void theNameOfTheCheckpointDoesNotDecideIt() {
    Model moved =
        new Model(
            "elsewhere", MODEL.digest(), MODEL.pipelineClass(), MODEL.scheduler(), "bfloat16");

    assertThat(id(moved, ImageFormat.PNG, REQUEST)).isEqualTo(id(MODEL, ImageFormat.PNG, REQUEST));
  }

  @Test
  void adaptersCountByTheirFilesAndWeights() {
    Model adapted =
        new Model(
            MODEL.name(),
            MODEL.digest(),
            MODEL.pipelineClass(),
            MODEL.scheduler(),
            MODEL.dtype(),
            Map.of("brand", "b4a4d", "style", "57713", "other", "b4a4d"));
    ImageRequest drawn = REQUEST.toBuilder().lora(LoraBlend.parse("style@0.50+brand")).build();
    String json = new ImageIdentity(adapted, ImageFormat.PNG).canonicalJson(drawn);

    assertThat(json)
        .contains(
            "\"lora\":[{\"digest\":\"57713\",\"weight\":0.5},{\"digest\":\"b4a4d\",\"weight\":1}]");
    assertThat(
            id(
                adapted,
                ImageFormat.PNG,
                REQUEST.toBuilder().lora(LoraBlend.parse("other")).build()))
        .isEqualTo(
            id(
                adapted,
                ImageFormat.PNG,
                REQUEST.toBuilder().lora(LoraBlend.parse("brand")).build()));
    assertThat(id(adapted, ImageFormat.PNG, REQUEST))
        .isEqualTo(id(MODEL, ImageFormat.PNG, REQUEST));
  }

  @Test
  void savedTransformerCallsDecideIt() {
    ImageRequest sea = efficient("sea@0.30+guidance@0-.5");
    assertThat(new ImageIdentity(MODEL, ImageFormat.PNG).canonicalJson(sea))
        .contains("\"sampling_efficiency\":\"sea@0.3+guidance@0-0.5\"");
    assertThat(new ImageIdentity(MODEL, ImageFormat.PNG).canonicalJson(efficient("none")))
        .doesNotContain("efficiency");
    assertThat(
            Stream.of("none", "sea", "sea@0.2", "first-block", "mask", "mask@101", "joint-guidance")
                .map(text -> id(MODEL, ImageFormat.PNG, efficient(text))))
        .doesNotHaveDuplicates()
        .contains(id(MODEL, ImageFormat.PNG, REQUEST));
  }

  private static ImageRequest efficient(String parts) {
    return REQUEST.toBuilder().efficiency(SamplingEfficiency.parse(parts)).build();
  }

  private static String withPrompts(Optional<String> second, Optional<String> third) {
    return id(
        MODEL,
        ImageFormat.PNG,
        ImageRequest.builder(REQUEST.prompt())
            .prompt2(second.orElse(null))
            .prompt3(third.orElse(null))
            .width(1024)
            .height(768)
            .numInferenceSteps(28)
            .guidanceScale(3.5)
            .trueCfgScale(4)
            .maxSequenceLength(512)
            .seed(42)
            .build());
  }

  private static String changed(
      String prompt,
      Optional<String> negative,
      int width,
      int height,
      int steps,
      double guidance,
      double trueCfg,
      int sequence,
      long seed) {
    return id(
        MODEL,
        ImageFormat.PNG,
        ImageRequest.builder(prompt)
            .negativePrompt(negative.orElse(null))
            .width(width)
            .height(height)
            .numInferenceSteps(steps)
            .guidanceScale(guidance)
            .trueCfgScale(trueCfg)
            .maxSequenceLength(sequence)
            .seed(seed)
            .build());
  }
}
