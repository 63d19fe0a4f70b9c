package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers over packed weights compute what they compute over the plain ones. */
class WeightPackingTest {

  private static final ScriptModule LAYERS = ScriptModule.of("layers", "Layers");
  private static final long TOKENS = 7;
  private static final long WIDTH = 24;
  private static final long SIDE = 12;

  @TempDir Path directory;

  /** 16 and 48 are widths of kernels; 12, 20 and 24 are between them. */
  @ParameterizedTest
  @ValueSource(longs = {12, 16, 20, 24, 48})
  void layersComputeTheSame(long channels) throws IOException {
    assertThat(difference(channels, Map.of())).isLessThan(2e-5f);
  }

  @Test
  void adaptersChangeTheirPartsOfAFusedLayer() throws IOException {
    Map<String, Tensor> adapters = new LinkedHashMap<>();
    for (String layer : List.of("linear", "attn.to_q", "attn.to_v")) {
      long outputs = layer.equals("linear") ? 2 * WIDTH : WIDTH;
      adapters.put(layer + ".lora_A", random(adapters.size(), 4, WIDTH));
      adapters.put(layer + ".lora_B", random(adapters.size(), outputs, 4));
    }
    assertThat(difference(16, adapters)).isLessThan(2e-5f);
    assertThat(difference(16, Map.of(), adapters))
        .as("the adapters have an effect")
        .isGreaterThan(0.1f);
    adapters.values().forEach(Tensor::close);
  }

  @Test
  void projectionsBecomeOneLayerInTheOrderOfTheFile() {
    WeightLayout layout =
        new WeightLayout()
            .linear("attn.to_q", WIDTH, WIDTH)
            .linear("attn.to_k", WIDTH, WIDTH)
            .linear("attn.to_v", WIDTH, WIDTH)
            .linearWithoutBias("attn.to_out.0", WIDTH, WIDTH)
            .tensor("attn.norm_q.weight", 8)
            .tensor("attn.norm_k.weight", 8);
    ProjectionFusion fusion = new ProjectionFusion(layout);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, float[]> numbers = new HashMap<>();
    for (String name : new TreeSet<>(layout.shapes().keySet())) {
      long[] shape = layout.shapes().get(name).stream().mapToLong(Long::longValue).toArray();
      tensors.put(name, random(name.hashCode(), shape));
      numbers.put(name, tensors.get(name).toFloats());
      fusion.fuse(tensors, name);
    }
    fusion.repeatNorms(tensors);
    assertThat(tensors)
        .containsOnlyKeys(
            "attn.to_qkv.weight",
            "attn.to_qkv.bias",
            "attn.to_out.0.weight",
            "attn.norm_q.weight",
            "attn.norm_k.weight",
            "attn.norm_qk.weight");
    for (String suffix : List.of(".weight", ".bias")) {
      assertThat(tensors.get("attn.to_qkv" + suffix).toFloats())
          .isEqualTo(
              concatenated(
                  numbers.get("attn.to_q" + suffix),
                  numbers.get("attn.to_k" + suffix),
                  numbers.get("attn.to_v" + suffix)));
    }
    assertThat(tensors.get("attn.norm_qk.weight").shape()).containsExactly(2, 3, 8);
    tensors.values().forEach(Tensor::close);
  }

  private float difference(long channels, Map<String, Tensor> adapters) throws IOException {
    return difference(channels, adapters, adapters);
  }

  /** The largest difference, as a share of the largest value. */
  private float difference(long channels, Map<String, Tensor> ofPlain, Map<String, Tensor> ofPacked)
      throws IOException {
    WeightLayout layout =
        new WeightLayout()
            .linear("linear", WIDTH, 2 * WIDTH)
            .linear("attn.to_q", WIDTH, WIDTH)
            .linear("attn.to_k", WIDTH, WIDTH)
            .linear("attn.to_v", WIDTH, WIDTH)
            .convolution("conv", channels, 12, 3)
            .upsampling("upsampling", channels, channels);
    Map<String, Tensor> plain = new HashMap<>();
    Map<String, StoredBytes> stored = new HashMap<>();
    layout
        .shapes()
        .forEach(
            (name, shape) -> {
              long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
              Tensor tensor = random(name.hashCode(), sizes);
              plain.put(name, tensor);
              stored.put(name, StoredBytes.of(tensor.toFloats(), shape.toArray(Long[]::new)));
            });
    StoredBytes.write(directory.resolve("model.safetensors"), stored);
    try (Weights unpacked = Weights.of(plain);
        Weights all = unpacked.with(ofPlain);
        Weights loaded =
            new WeightLoader(Device.CPU, DType.F32)
                .load(WeightFiles.in(directory, Optional.empty()), layout);
        Weights packed = loaded.with(ofPacked);
        Tensor tokens = random(1, 1, TOKENS, WIDTH);
        Tensor picture = random(2, 1, channels, SIDE, SIDE);
        Tensor expected = LAYERS.tensor("computed", all, tokens, picture);
        Tensor computed = LAYERS.tensor("computed", packed, tokens, picture)) {
      return difference(expected.toFloats(), computed.toFloats());
    } finally {
      plain.values().forEach(Tensor::close);
    }
  }

  private static float difference(float[] expected, float[] computed) {
    assertThat(computed).hasSameSizeAs(expected);
    float largest = 0;
    float difference = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(expected[i] - computed[i]));
    }
    assertThat(largest).isGreaterThan(1);
    return difference / largest;
  }

  private static float[] concatenated(float[]... parts) {
    float[] all = new float[Stream.of(parts).mapToInt(part -> part.length).sum()];
    int end = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, end, part.length);
      end += part.length;
    }
    return all;
  }

  private static Tensor random(long seed, long... shape) {
    return LAYERS.tensor("random", Device.CPU, shape, seed);
  }
}
