package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.torch.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightLoaderTest {

  private static final WeightLoader FLOAT32 = new WeightLoader(Device.CPU, DType.F32);

  @TempDir Path directory;

  @Test
  void float32IsReadUnchanged() throws IOException {
    float[] values = {0, -0f, 1.5f, Float.MIN_VALUE, Float.MAX_VALUE, Float.NEGATIVE_INFINITY};
    assertThat(load(StoredBytes.of(values, 2L, 3L), FLOAT32)).containsExactly(values);
  }

  @Test
  void everyFloat16IsReadExactly() throws IOException {
    short[] bits = allFinite(0x7c00);
    float[] expected = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      expected[i] = decoded(bits[i], 5, 10);
    }
    assertThat(load(sixteenBits("F16", bits), FLOAT32)).containsExactly(expected);
  }

  @Test
  void everyBfloat16IsReadExactly() throws IOException {
    short[] bits = allFinite(0x7f80);
    float[] expected = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      expected[i] = Float.intBitsToFloat(bits[i] << 16);
    }
    assertThat(load(sixteenBits("BF16", bits), FLOAT32)).containsExactly(expected);
  }

  @Test
  void float32IsRoundedToTheRequestedType() throws IOException {
    float[] values = new float[1000];
    Random random = new Random(7);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(28) - 18));
    }
    values[0] = 1 + 1f / 2048; // half-way between two halves: to the even one
    values[1] = 1 + 3f / 2048;
    values[2] = 1 + 1f / 256; // half-way between two bfloat16
    values[3] = 1 + 3f / 256;
    StoredBytes stored = StoredBytes.of(values, 1000L);
    float[] halves = load(stored, new WeightLoader(Device.CPU, DType.F16));
    float[] brains = load(stored, new WeightLoader(Device.CPU, DType.BF16));
    for (int i = 0; i < values.length; i++) {
      assertThat(halves[i]).as("F16 of %s", values[i]).isEqualTo(rounded(values[i], 10, -14));
      assertThat(brains[i]).as("BF16 of %s", values[i]).isEqualTo(rounded(values[i], 7, -126));
    }
  }

  @Test
  void integersKeepTheirType() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(1L << 40).putLong(-3);
    SafetensorsFile file = file(new StoredBytes("I64", List.of(2L), bytes.array()));
    try (Tensor tensor = FLOAT32.read(file, file.tensors().get("a"))) {
      assertThat(tensor.toLongs()).containsExactly(1L << 40, -3);
    }
  }

  @Test
  void aTensorThatIsNotAlignedIsRefused() throws IOException {
    SafetensorsFile file = file(StoredBytes.of(new float[] {1}, 1L));
    TensorEntry off = new TensorEntry("a", DType.F32, List.of(1L), 9);
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> FLOAT32.read(file, off))
        .withMessageContaining(
            "tensor 'a' begins at byte 9, which is not a multiple of its 4 bytes")
        .matches(e -> e.code() == ErrorCode.WEIGHTS_INVALID);
  }

  @Test
  void oneErrorListsAllMissingAndInvalidTensors() throws IOException {
    StoredBytes two = StoredBytes.of(new float[] {1, 2}, 2L);
    StoredBytes.write(
        directory.resolve("model.safetensors"),
        Map.of(
            "kept.norm.weight",
            two,
            "kept.proj.weight",
            StoredBytes.of(new float[] {1, 2}, 1L, 2L),
            "kept.ids",
            new StoredBytes("I32", List.of(1L), new byte[4]),
            "other",
            two));
    WeightLayout layout = new WeightLayout().norm("norm", 2).linear("proj", 2, 3).tensor("ids", 1);
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(
            () ->
                FLOAT32.load(
                    WeightFiles.in(directory, Optional.empty()),
                    layout.named(name -> name.replace("kept.", ""))))
        .withMessage(
            directory.resolve("model.safetensors")
                + " lacks the weights norm.bias, proj.bias;"
                + " has unknown tensors instead: other;"
                + " has 'kept.ids' of type I32 where the network requires floating-point weights;"
                + " has 'kept.proj.weight' of shape [1, 2] where the config requires [3, 2];"
                + " fetch the checkpoint again, or fix its config")
        .matches(e -> e.code() == ErrorCode.WEIGHTS_INVALID);
  }

  private float[] load(StoredBytes stored, WeightLoader loader) throws IOException {
    SafetensorsFile file = file(stored);
    try (Tensor tensor = loader.read(file, file.tensors().get("a"));
        Tensor floats = tensor.to(Device.CPU, DType.F32)) {
      assertThat(tensor.shape())
          .isEqualTo(stored.shape().stream().mapToLong(Long::longValue).toArray());
      return floats.toFloats();
    }
  }

  private SafetensorsFile file(StoredBytes stored) throws IOException {
    Path path = directory.resolve("one.safetensors");
    StoredBytes.write(path, Map.of("a", stored));
    return SafetensorsFile.open(path);
  }

  private static short[] allFinite(int exponentMask) {
    short[] bits = new short[1 << 16];
    int count = 0;
    for (int i = 0; i < bits.length; i++) {
      if ((i & exponentMask) != exponentMask) {
        bits[count++] = (short) i;
      }
    }
    return Arrays.copyOf(bits, count);
  }

  private static StoredBytes sixteenBits(String dtype, short[] bits) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asShortBuffer().put(bits);
    return new StoredBytes(dtype, List.of((long) bits.length), bytes.array());
  }

  /** Decodes IEEE 754 with the given number of bits of exponent and mantissa. */
  private static float decoded(short bits, int exponentBits, int mantissaBits) {
    int mantissa = bits & ((1 << mantissaBits) - 1);
    int exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
    int bias = (1 << (exponentBits - 1)) - 1;
    double fraction = mantissa / (double) (1 << mantissaBits);
    double magnitude =
        exponent == 0
            ? fraction * Math.pow(2, 1 - bias)
            : (1 + fraction) * Math.pow(2, exponent - bias);
    return (float) (bits < 0 ? -magnitude : magnitude);
  }

  /** Rounds to the given number of bits of mantissa, half to even. */
  private static float rounded(float value, int mantissaBits, int minExponent) {
    double unit = Math.pow(2, Math.max(Math.getExponent(value), minExponent) - mantissaBits);
    return (float) (Math.rint(value / unit) * unit);
  }
}
