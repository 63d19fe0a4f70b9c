package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A tensor in the form that safetensors files store; reads and writes whole files, for tests that
 * change them.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record StoredBytes(String dtype, List<Long> shape, byte[] bytes) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A tensor of type F32. */
  public static StoredBytes of(float[] values, Long... shape) {
    ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      buffer.putFloat(value);
    }
    return new StoredBytes("F32", List.of(shape), buffer.array());
  }

  /** The elements of a tensor of type F32. */
  public float[] floats() {
    float[] values = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** The same tensor with another element. */
  public StoredBytes with(int index, float value) {
    ByteBuffer changed = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
    switch (dtype) {
      case "F32" -> changed.putFloat(4 * index, value);
      case "BF16" -> changed.putShort(2 * index, (short) (Float.floatToRawIntBits(value) >>> 16));
      case "F16" -> changed.putShort(2 * index, notFiniteFloat16(value));
      default -> throw new IllegalStateException("an element of type " + dtype);
    }
    return new StoredBytes(dtype, shape, changed.array());
  }

  private static short notFiniteFloat16(float value) {
    if (Float.isFinite(value)) {
      throw new IllegalArgumentException("finite numbers are not converted to float16");
    }
    return (short) (Float.isNaN(value) ? 0x7e00 : value > 0 ? 0x7c00 : 0xfc00);
  }

  public static Map<String, StoredBytes> read(Path file) throws IOException {
    byte[] all = Files.readAllBytes(file);
    int headerBytes = (int) ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    JsonNode header = JSON.readTree(Arrays.copyOfRange(all, 8, 8 + headerBytes));
    Map<String, StoredBytes> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : header.properties()) {
      if (!field.getKey().equals("__metadata__")) {
        JsonNode json = field.getValue();
        int begin = 8 + headerBytes + json.at("/data_offsets/0").asInt();
        int end = 8 + headerBytes + json.at("/data_offsets/1").asInt();
        tensors.put(
            field.getKey(),
            new StoredBytes(
                json.get("dtype").asText(),
                json.get("shape").valueStream().map(JsonNode::asLong).toList(),
                Arrays.copyOfRange(all, begin, end)));
      }
    }
    return tensors;
  }

  /**
   * Tensors with the widest elements come first, as writers order them, so that all are aligned.
   */
  public static Path write(Path file, Map<String, StoredBytes> tensors) throws IOException {
    return write(file, tensors, Map.of());
  }

  /** As {@link #write(Path, Map)}, with metadata. */
  public static Path write(
      Path file, Map<String, StoredBytes> tensors, Map<String, String> metadata)
      throws IOException {
    ObjectNode header = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      header.set("__metadata__", JSON.valueToTree(metadata));
    }
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    List<String> names = new ArrayList<>(tensors.keySet());
    names.sort(Comparator.comparing(name -> -elementBytes(tensors.get(name))));
    for (String name : names) {
      StoredBytes tensor = tensors.get(name);
      ObjectNode json = header.putObject(name).put("dtype", tensor.dtype());
      tensor.shape().forEach(json.putArray("shape")::add);
      int begin = data.size();
      data.writeBytes(tensor.bytes());
      json.putArray("data_offsets").add(begin).add(data.size());
    }
    return Files.write(file, file(header.toString(), data.toByteArray()));
  }

  private static long elementBytes(StoredBytes tensor) {
    return tensor.bytes().length / tensor.shape().stream().reduce(1L, (a, b) -> a * b);
  }

  /** A file with this header, padded as writers pad it, and this data. */
  static byte[] file(String header, byte[] data) {
    String padded = header + " ".repeat(Math.floorMod(-header.length(), 8));
    byte[] text = padded.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .put(data)
        .array();
  }

  /** Numbers without the lower half of their bits. */
  public StoredBytes truncated() {
    float[] values = floats();
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(Float.floatToIntBits(values[i]) & 0xffff0000);
    }
    return of(values, shape.toArray(Long[]::new));
  }

  /** The upper half of the bits. */
  public StoredBytes asBfloat16() {
    float[] values = floats();
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
    }
    return new StoredBytes("BF16", shape, bytes.array());
  }
}
