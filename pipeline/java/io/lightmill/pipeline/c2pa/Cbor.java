package io.lightmill.pipeline.c2pa;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/**
 * CBOR (RFC 8949) with definite lengths, and the shortest integers, as its deterministic encoding
 * requires. Maps keep their order.
 */
final class Cbor {

  private static final CBORMapper MAPPER =
      new CBORMapper(
          CBORFactory.builder()
              .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
              .build());

  private Cbor() {}

  /** A value with a tag. */
  record Tagged(int tag, Object value) {}

  /**
   * @param value null, text, a whole number, a boolean, bytes, a list, a map with keys of text or
   *     whole numbers, or {@link Tagged}
   */
  static byte[] bytes(Object value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CBORGenerator generator = MAPPER.getFactory().createGenerator(out)) {
      write(generator, value);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory
    }
    return out.toByteArray();
  }

  private static void write(CBORGenerator out, Object value) throws IOException {
    if (value instanceof Map<?, ?> map) {
      out.writeStartObject(map, map.size());
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        if (entry.getKey() instanceof Integer key) {
          out.writeFieldId(key);
        } else {
          out.writeFieldName((String) entry.getKey());
        }
        write(out, entry.getValue());
      }
      out.writeEndObject();
    } else if (value instanceof List<?> list) {
      out.writeStartArray(list, list.size());
      for (Object each : list) {
        write(out, each);
      }
      out.writeEndArray();
    } else if (value instanceof Tagged tagged) {
      out.writeTag(tagged.tag);
      write(out, tagged.value);
    } else if (value instanceof byte[] bytes) {
      out.writeBinary(bytes);
    } else if (value instanceof String text) {
      out.writeString(text);
    } else if (value instanceof Integer number) {
      out.writeNumber(number);
    } else if (value instanceof Boolean flag) {
      out.writeBoolean(flag);
    } else if (value == null) {
      out.writeNull();
    } else {
      throw new IllegalArgumentException("no CBOR for " + value.getClass());
    }
  }

  /**
   * Reads one value. Keys that are numbers become text.
   *
   * @throws MalformedManifestException if the bytes are not CBOR
   */
  static JsonNode read(byte[] cbor) {
    try {
      JsonNode node = MAPPER.readTree(cbor);
      if (node == null || node.isMissingNode()) {
        throw new MalformedManifestException("a part of it is empty");
      }
      return node;
    } catch (IOException | RuntimeException e) { // the parser throws both for damaged bytes
      throw new MalformedManifestException("a part of it is not CBOR", e);
    }
  }
}
