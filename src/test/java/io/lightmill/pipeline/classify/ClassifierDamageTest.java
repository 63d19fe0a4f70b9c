package io.lightmill.pipeline.classify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.io.file.PathUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Classifiers that are damaged, or are something else, are refused with the file and the key. */
class ClassifierDamageTest {

  private static final JsonMapper JSON = new JsonMapper();

  @TempDir Path directory;

  private Path copy(String model) throws IOException {
    Path copy = directory.resolve("model");
    PathUtils.copyDirectory(ClassifierCases.directory(model), copy);
    return copy;
  }

  private void set(Path file, String key, String json) throws IOException {
    ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
    root.set(key, JSON.readTree(json));
    JSON.writeValue(file.toFile(), root);
  }

  private static void describe(Path model) {
    ModelDirectory opened = new ModelDirectory(model);
    switch (opened.architecture()) {
      case "CLIPModel", "SiglipModel" -> ImageScorer.describe(opened);
      case "ViTForImageClassification", "StableDiffusionSafetyChecker" ->
          ImageClassifier.describe(opened);
      default -> PromptClassifier.describe(opened);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vit | config.json | patch_size | 7 | a divisor of image_size",
        "vit | config.json | image_size | 64 | 64 by 64, which the network takes",
        "vit | config.json | num_attention_heads | 5 | a divisor of hidden_size",
        "vit | config.json | num_hidden_layers | 2000000000 | the number of tensors in the weights",
        "vit | config.json | id2label | {\"0\":\"a\",\"1\":\"a\"} | made of different labels",
        "vit | config.json | id2label | {\"0\":\"a\",\"2\":\"b\"} | id2label.1",
        "vit | config.json | id2label | {\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"} | classifier.weight",
        "vit | config.json | layer_scale | 0.1 | layer_scale",
        "vit | preprocessor_config.json | resample | 0 | 1 (lanczos), 2 (bilinear) or 3 (bicubic)",
        "vit | preprocessor_config.json | image_mean | [0.5] | a list of 3 numbers",
        "vit | preprocessor_config.json | do_pad | true | false",
        "clip | preprocessor_config.json | size | {\"shortest_edge\":16} | at least 32",
        "clip | preprocessor_config.json | do_center_crop | false | do_center_crop true",
        "safety-checker | config.json | vision_config | 3 | an object",
        "bert | config.json | position_embedding_type | \"relative_key\" | one of absolute",
        "roberta | config.json | pad_token_id | 99 | below max_position_embeddings",
        "deberta-v3 | config.json | pooler_hidden_size | 8 | hidden_size",
        "bert | config.json | vocab_size | 3 | embeddings.word_embeddings.weight",
      })
  void aConfigThatDoesNotFitIsRefused(
      String model, String file, String key, String json, String expected) throws IOException {
    Path copy = copy(model);
    set(copy.resolve(file), key, json);

    assertThatThrownBy(() -> describe(copy))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining(copy.toString())
        .hasMessageContaining(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "vit, preprocessor_config.json, has no preprocessor_config.json",
    "vit, model.safetensors, has no safetensors weights",
    "bert, vocab.txt, has no tokenizer",
    "vit, config.json, has no config.json",
  })
  void aMissingFileIsNamed(String model, String file, String expected) throws IOException {
    Path copy = copy(model);
    Files.delete(copy.resolve(file));

    assertThatThrownBy(() -> describe(copy))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining(expected);
  }

  @Test
  void anotherArchitectureIsRefusedWithThoseThatRun() {
    ModelDirectory bert = ClassifierCases.model("bert");

    assertThatThrownBy(() -> ImageClassifier.describe(bert))
        .hasMessageContaining("'BertForSequenceClassification'; image classifiers are ViTFor")
        .matches(e -> ((LightmillException) e).code() == ErrorCode.PIPELINE_UNKNOWN);
    assertThatThrownBy(() -> ImageScorer.describe(bert)).hasMessageContaining("scorers are CLIP");
    assertThatThrownBy(() -> PromptClassifier.describe(ClassifierCases.model("vit")))
        .hasMessageContaining("prompt classifiers are Bert");
  }

  /** Layouts of image processors before transformers 4.23, and of 5. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"vit | 32", "clip | 32"})
  void olderAndNewerImageProcessorsAreRead(String model, String size) throws IOException {
    Path copy = copy(model);
    Path file = copy.resolve("preprocessor_config.json");
    set(file, "size", size);
    set(file, "crop_size", size);
    describe(copy);
    ObjectNode wrapped = JSON.createObjectNode();
    wrapped.set("image_processor", JSON.readTree(file.toFile()));
    Files.delete(file);
    JSON.writeValue(copy.resolve("processor_config.json").toFile(), wrapped);
    describe(copy);
  }

  /** The digest is of all that decides scores, and of nothing else. */
  @Test
  void theDigestIsOfConfigWeightsAndTokenizer() throws IOException {
    Path copy = copy("bert");
    String before = new ModelDirectory(copy).digest();
    Files.writeString(copy.resolve("README.md"), "a card");
    assertThat(new ModelDirectory(copy).digest()).isEqualTo(before);
    for (String file : List.of("config.json", "vocab.txt", "tokenizer_config.json")) {
      Files.writeString(copy.resolve(file), Files.readString(copy.resolve(file)) + "\n");
      String after = new ModelDirectory(copy).digest();
      assertThat(after).as(file).isNotEqualTo(before);
      before = after;
    }
  }

  @Test
  void whatACheckpointHasIsKnownWithoutItsWeights() {
    ClassifierInfo vit = ImageClassifier.describe(ClassifierCases.model("vit"));
    assertThat(vit.labels()).containsExactly("normal", "nsfw");
    assertThat(vit.thresholds()).isEmpty();
    assertThat(vit.parameters() * 4).isLessThan(35_752).isGreaterThan(30_000); // file with header
    assertThat(ImageClassifier.describe(ClassifierCases.model("safety-checker")).labels())
        .hasSize(18)
        .startsWith("nsfw", "concept_0");
  }

  @Test
  void textOfNothingIsClassifiedToo() {
    try (PromptClassifier classifier =
        PromptClassifier.load(ClassifierCases.model("bert"), Device.CPU)) {
      assertThat(classifier.scores("").values().stream().mapToDouble(d -> d).sum())
          .isCloseTo(1, org.assertj.core.api.Assertions.within(1e-9));
    }
  }
}
