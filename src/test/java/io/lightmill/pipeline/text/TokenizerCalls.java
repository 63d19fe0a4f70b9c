package io.lightmill.pipeline.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The tokenizer calls of diffusers' pipelines that the reference cases recorded. */
final class TokenizerCalls {

  static final Path REFERENCE = Path.of("src/test/resources/reference");

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private TokenizerCalls() {}

  /** One text of one call, with its ids from transformers. */
  record Call(
      String model,
      String name,
      String text,
      int maxLength,
      List<Long> ids,
      List<Long> attentionMask) {

    Path tokenizer() {
      String component = name.substring(name.indexOf("tok.") + "tok.".length());
      return REFERENCE.resolve(model + "/checkpoint/" + component.replaceFirst("\\..*", ""));
    }

    @Override
    public String toString() {
      return model + " " + name;
    }
  }

  static List<Call> of(String model) {
    try {
      Path directory = REFERENCE.resolve(model);
      JsonNode cases = MAPPER.readTree(directory.resolve("cases.json").toFile()).get("cases");
      Tensors tensors = Tensors.read(directory.resolve("cases.safetensors"));
      List<Call> calls = new ArrayList<>();
      for (JsonNode example : cases) {
        for (JsonNode call : example.get("tokenizer_calls")) {
          add(calls, model, example, call, tensors);
        }
      }
      return calls;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void add(
      List<Call> calls, String model, JsonNode example, JsonNode call, Tensors tensors) {
    String name = "tok.%s.%d".formatted(call.get("tokenizer").asText(), call.get("call").asInt());
    int length = call.get("max_length").asInt();
    List<Long> ids = tensors.longs(example, name + ".input_ids");
    List<Long> mask = tensors.longs(example, name + ".attention_mask");
    for (int i = 0; i < call.get("text").size(); i++) {
      calls.add(
          new Call(
              model,
              example.get("name").asText() + "/" + name + "[" + i + "]",
              call.get("text").get(i).asText(),
              length,
              ids.subList(i * length, (i + 1) * length),
              mask.subList(i * length, (i + 1) * length)));
    }
  }

  /** A safetensors file: the length of a JSON header, the header, the tensors. */
  private record Tensors(JsonNode header, ByteBuffer data) {

    static Tensors read(Path file) throws IOException {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      byte[] header = new byte[Math.toIntExact(bytes.getLong())];
      bytes.get(header);
      return new Tensors(
          MAPPER.readTree(new String(header, StandardCharsets.UTF_8)),
          bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
    }

    /** Bit-identical tensors of a case are stored once, under the name of one of them. */
    List<Long> longs(JsonNode example, String name) {
      String stored = example.get("aliases").path(name).asText(name);
      JsonNode entry = header.get(example.get("name").asText() + "/" + stored);
      if (!entry.get("dtype").asText().equals("I64")) {
        throw new IllegalStateException(name + " is " + entry.get("dtype"));
      }
      int start = entry.get("data_offsets").get(0).asInt();
      long[] values = new long[(entry.get("data_offsets").get(1).asInt() - start) / Long.BYTES];
      data.duplicate().order(ByteOrder.LITTLE_ENDIAN).position(start).asLongBuffer().get(values);
      return Arrays.stream(values).boxed().toList();
    }
  }
}
