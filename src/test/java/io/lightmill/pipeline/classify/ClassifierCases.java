package io.lightmill.pipeline.classify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/** The small classifiers, and what transformers computes with them (scripts/reference). */
public final class ClassifierCases {

  static final Path ROOT = Path.of("src/test/resources/reference/classifiers");

  static final List<String> PICTURES = List.of("smooth", "noisy", "small");

  private static final SafetensorsFile TENSORS =
      SafetensorsFile.open(ROOT.resolve("pictures.safetensors"));

  private ClassifierCases() {}

  /** The directory of a model such as {@code vit}, which must not be changed. */
  public static Path directory(String model) {
    return ROOT.resolve(model);
  }

  static ModelDirectory model(String name) {
    return new ModelDirectory(directory(name));
  }

  /** What was recorded of a model. */
  static JsonNode of(String model) {
    try {
      return new JsonMapper().readTree(ROOT.resolve("cases.json").toFile()).path(model);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<String> texts() {
    return of("texts").valueStream().map(JsonNode::textValue).toList();
  }

  static RgbImage picture(String name) {
    try (Tensor picture = tensor("image." + name)) {
      long[] shape = picture.shape();
      return new RgbImage((int) shape[1], (int) shape[0], picture.toBytes());
    }
  }

  static Tensor tensor(String name) {
    return new WeightLoader(Device.CPU, DType.F32).read(TENSORS, TENSORS.tensors().get(name));
  }

  static float[] floats(JsonNode numbers) {
    float[] floats = new float[numbers.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = numbers.get(i).floatValue();
    }
    return floats;
  }
}
