package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.LightmillException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Safetensors files, and the index of sharded ones. The first byte of an input says what the rest
 * is: a whole file, a header that gets its length and some bytes of data, or an index beside two
 * shards.
 */
public final class SafetensorsFuzz implements FuzzTarget {

  private static final String ENTRY =
      "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";

  private final Path single = FuzzTarget.directory();
  private final Path sharded = FuzzTarget.directory();

  public SafetensorsFuzz() {
    for (String name : List.of("a", "b")) {
      FuzzTarget.write(sharded.resolve(name + ".safetensors"), file(ENTRY.formatted(name), 8));
    }
  }

  @Override
  public void run(byte[] input) {
    if (input.length < 2) {
      return;
    }
    byte[] rest = Arrays.copyOfRange(input, 2, input.length);
    switch (input[0] % 3) {
      case 0 -> open(rest);
      case 1 -> open(file(rest, input[1] & 0xff));
      default -> index(rest);
    }
  }

  private void open(byte[] content) {
    Path path = single.resolve("model.safetensors");
    FuzzTarget.write(path, content);
    try {
      SafetensorsFile file = SafetensorsFile.open(path);
      long data = 0;
      for (TensorEntry entry : file.tensors().values()) {
        boolean inside = entry.offset() >= 8 && entry.offset() + entry.bytes() <= content.length;
        FuzzTarget.require(inside, "a tensor is in the file");
        data += entry.bytes();
        if (entry.count() == 1) {
          file.scalar(entry);
        }
      }
      long header = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
      FuzzTarget.require(8 + header + data == content.length, "every byte is in one tensor");
    } catch (LightmillException e) {
      FuzzTarget.require(e.getMessage().length() < MOST_MESSAGE, "a message is short");
    }
  }

  private void index(byte[] content) {
    FuzzTarget.write(sharded.resolve("model.safetensors.index.json"), content);
    try {
      List<SafetensorsFile> files = WeightFiles.in(sharded, Optional.empty()).files();
      boolean beside = files.stream().allMatch(it -> it.path().getParent().equals(sharded));
      FuzzTarget.require(beside, "a shard is beside its index");
    } catch (LightmillException e) {
      FuzzTarget.require(e.getMessage().length() < MOST_MESSAGE, "a message is short");
    }
  }

  private static byte[] file(String header, int dataBytes) {
    return file(header.getBytes(UTF_8), dataBytes);
  }

  private static byte[] file(byte[] header, int dataBytes) {
    return ByteBuffer.allocate(Long.BYTES + header.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }

  @Override
  public List<byte[]> seeds() {
    String two =
        "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]},\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[12,20]}}";
    String index = "{\"metadata\":{\"total_size\":16},\"weight_map\":{\"a\":\"a.safetensors\",\"b\":\"b.safetensors\"}}";
    return List.of(
        input(0, 0, file(two, 20)),
        input(0, 0, file("{}", 0)),
        input(1, 20, two.getBytes(UTF_8)),
        input(1, 8, ENTRY.formatted("x").getBytes(UTF_8)),
        input(2, 0, index.getBytes(UTF_8)));
  }

  private static byte[] input(int kind, int data, byte[] rest) {
    return ByteBuffer.allocate(2 + rest.length).put((byte) kind).put((byte) data).put(rest).array();
  }
}
