package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The header of a safetensors file, checked against the file: every tensor lies inside the file,
 * has as many bytes as its shape and type need, and overlaps no other.
 *
 * @param path of the file
 * @param tensors by name, in the order of their bytes
 * @param metadata that the writer added
 * @see <a href="https://huggingface.co/docs/safetensors">the format</a>
 */
public record SafetensorsFile(
    Path path, Map<String, TensorEntry> tensors, Map<String, String> metadata) {

  /** The format allows 100 MB; a header of 10,000 tensors has 1.5 MB. */
  private static final long MAX_HEADER_BYTES = 16 << 20;

  private static final int LENGTH_BYTES = 8;
  private static final String METADATA = "__metadata__";
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * Reads and checks the header.
   *
   * @throws LightmillException with {@code WEIGHTS_INVALID} if the file is incomplete or invalid
   */
  public static SafetensorsFile open(Path path) {
    try (FileChannel channel = opened(path)) {
      long size = channel.size();
      ByteBuffer start = read(channel, 0, (int) Math.min(size, FileSignature.BYTES));
      FileSignature.requireSafetensors(path, start);
      if (size < LENGTH_BYTES) {
        throw invalid(path, "is %d bytes long, too short for a header".formatted(size));
      }
      long headerBytes = start.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
      if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, size - LENGTH_BYTES)) {
        throw invalid(
            path,
            "claims a header of %s bytes in a file of %d, where at most %d are read"
                .formatted(Long.toUnsignedString(headerBytes), size, MAX_HEADER_BYTES));
      }
      JsonNode header = parse(path, read(channel, LENGTH_BYTES, (int) headerBytes));
      return new SafetensorsFile(
          path, entries(path, header, LENGTH_BYTES + headerBytes, size), metadata(header));
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private static FileChannel opened(Path path) throws IOException {
    RegularFile.require(path, ErrorCode.WEIGHTS_INVALID);
    return FileChannel.open(path);
  }

  /**
   * The value of a tensor with one element, exactly.
   *
   * @throws LightmillException with {@code WEIGHTS_INVALID} if it cannot be read
   */
  public double scalar(TensorEntry entry) {
    try (FileChannel channel = opened(path)) {
      ByteBuffer bytes = read(channel, entry.offset(), entry.dtype().bytes());
      return Scalar.of(entry.dtype(), bytes.order(ByteOrder.LITTLE_ENDIAN));
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private static LightmillException unreadable(Path path, IOException cause) {
    return new LightmillException(
        ErrorCode.WEIGHTS_INVALID,
        "%s cannot be read (%s); check that it exists and is readable".formatted(path, cause),
        cause);
  }

  private static ByteBuffer read(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException("the file ended early");
      }
    }
    return buffer.flip();
  }

  private static JsonNode parse(Path path, ByteBuffer header) {
    try {
      JsonNode json = JSON.readTree(UTF_8.newDecoder().decode(header).toString());
      if (!json.isObject()) {
        throw invalid(path, "has a header that is not a JSON object");
      }
      return json;
    } catch (JsonProcessingException e) {
      throw invalid(path, "has a header that is not JSON (%s)".formatted(e.getOriginalMessage()));
    } catch (CharacterCodingException e) {
      throw invalid(path, "has a header that is not UTF-8");
    }
  }

  private static Map<String, String> metadata(JsonNode header) {
    Map<String, String> metadata = new TreeMap<>();
    header
        .path(METADATA)
        .properties()
        .forEach(field -> metadata.put(field.getKey(), field.getValue().asText()));
    return Map.copyOf(metadata);
  }

  private static Map<String, TensorEntry> entries(
      Path path, JsonNode header, long dataStart, long size) {
    refuseUnknownTypes(path, header);
    List<TensorEntry> entries = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : header.properties()) {
      if (!field.getKey().equals(METADATA)) {
        entries.add(entry(path, field.getKey(), field.getValue(), dataStart));
      }
    }
    // An empty tensor has the same offset as the next one.
    entries.sort(
        Comparator.comparingLong(TensorEntry::offset).thenComparingLong(TensorEntry::bytes));
    Map<String, TensorEntry> byName = new LinkedHashMap<>();
    long end = dataStart;
    for (TensorEntry entry : entries) {
      if (entry.offset() != end) {
        throw invalid(
            path,
            "places tensor '%s' at byte %d where the one before it ends at %d"
                .formatted(entry.name(), entry.offset(), end));
      }
      if (entry.bytes() > size - entry.offset()) {
        throw invalid(
            path,
            "ends at byte %d, within tensor '%s', as after a download that was cut off"
                .formatted(size, entry.name()));
      }
      end = entry.offset() + entry.bytes();
      byName.put(entry.name(), entry);
    }
    if (end != size) {
      throw invalid(path, "has %d bytes where its header describes %d".formatted(size, end));
    }
    return byName;
  }

  private static TensorEntry entry(Path path, String name, JsonNode json, long dataStart) {
    JsonNode range = json.path("data_offsets");
    if (!json.path("dtype").isTextual()
        || !isCounts(json.path("shape"))
        || !isCounts(range)
        || range.size() != 2) {
      throw invalid(path, "describes tensor '%s' as %s".formatted(name, json));
    }
    List<Long> shape = json.path("shape").valueStream().map(JsonNode::longValue).toList();
    long begin = range.get(0).longValue();
    long end = range.get(1).longValue();
    try {
      TensorEntry entry =
          new TensorEntry(
              name,
              DType.valueOf(json.path("dtype").textValue()),
              shape,
              Math.addExact(dataStart, begin));
      if (end - begin != entry.bytes()) {
        throw invalid(
            path,
            "gives tensor '%s' the bytes %s where %s of shape %s needs %d"
                .formatted(name, range, entry.dtype(), shape, entry.bytes()));
      }
      return entry;
    } catch (ArithmeticException e) {
      throw invalid(path, "gives tensor '%s' the impossible shape %s".formatted(name, shape));
    }
  }

  /** Whether a node is a list of whole numbers from 0. */
  private static boolean isCounts(JsonNode list) {
    return list.isArray()
        && list.valueStream()
            .allMatch(n -> n.isIntegralNumber() && n.canConvertToLong() && n.longValue() >= 0);
  }

  private static void refuseUnknownTypes(Path path, JsonNode header) {
    Set<String> known = Arrays.stream(DType.values()).map(DType::name).collect(Collectors.toSet());
    Set<String> types = new TreeSet<>();
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : header.properties()) {
      JsonNode type = field.getValue().path("dtype");
      if (!field.getKey().equals(METADATA) && type.isTextual() && !known.contains(type.asText())) {
        types.add(type.asText());
        names.add("'%s'".formatted(field.getKey()));
      }
    }
    if (!types.isEmpty()) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "%s has tensors of type %s, which Lightmill does not load: %s; use the model's weights in F32, F16 or BF16"
              .formatted(path, String.join(" and ", types), NameList.of(names)));
    }
  }

  private static LightmillException invalid(Path path, String what) {
    return new LightmillException(
        ErrorCode.WEIGHTS_INVALID,
        "%s %s; it is damaged or not a safetensors file: fetch it again".formatted(path, what));
  }
}
