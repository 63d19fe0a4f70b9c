import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.BatchWork;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.BuiltinCheckpoint;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;

/**
 * Writes a FLUX-like checkpoint of about 1 B random weights in BF16, or draws images with its
 * networks taking turns on the device.
 *
 * <p>Usage: Offload write DIRECTORY | Offload draw DIRECTORY IMAGES CHUNK
 */
class Offload {

  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws IOException {
    Path directory = Path.of(args[1]);
    if (args[0].equals("write")) {
      write(directory);
    } else {
      draw(directory, Integer.parseInt(args[2]), Integer.parseInt(args[3]));
    }
  }

  private static void draw(Path directory, int images, int chunk) {
    int cores = Runtime.getRuntime().availableProcessors();
    Checkpoint checkpoint = Checkpoint.open(directory);
    try (FlowPipeline pipeline =
        Families.load(checkpoint, Device.CPU, DType.F32, Map.of(), /* offload= */ true)) {
      BatchWork work = BatchWork.NONE;
      long start = System.nanoTime();
      for (int first = 0; first < images; first += chunk) {
        List<List<ImageRequest>> batches = new ArrayList<>();
        for (int i = first; i < Math.min(images, first + chunk); i++) {
          batches.add(
              List.of(
                  ImageRequest.builder("a mug, number " + i)
                      .width(64)
                      .height(64)
                      .numInferenceSteps(1)
                      .maxSequenceLength(64)
                      .seed(i)
                      .build()));
        }
        List<BatchResult> results =
            Torch.withThreads(cores, () -> pipeline.drawChunk(batches, () -> true));
        for (BatchResult result : results) {
          result.orElseThrow().forEach(image -> image.orElseThrow());
          work = work.plus(result.work());
        }
      }
      System.out.printf(
          "| %d | %,.0f | %.2f | %.2f | %.2f |%n",
          chunk,
          work.loadedBytes() / 1e6 / images,
          work.load().toMillis() / 1e3 / images,
          work.phases().toMillis() / 1e3 / images,
          (System.nanoTime() - start) / 1e9 / images);
    }
  }

  /** The shipped checkpoint's files, with a wider transformer and text encoder. */
  private static void write(Path directory) throws IOException {
    BuiltinCheckpoint.of("builtin:pocket").copyTo(directory);
    change(
        directory.resolve("transformer/config.json"),
        Map.of(
            "attention_head_dim",
            64,
            "num_attention_heads",
            24,
            "num_layers",
            4,
            "num_single_layers",
            10,
            "joint_attention_dim",
            1024),
        List.of(16, 24, 24));
    change(
        directory.resolve("text_encoder_2/config.json"),
        Map.of("d_model", 1024, "d_ff", 2816, "num_heads", 16, "d_kv", 64, "num_layers", 20),
        List.of());
    Checkpoint checkpoint = Checkpoint.open(directory);
    long parameters = 0;
    for (Map.Entry<String, WeightLayout> network : Families.networks(checkpoint).entrySet()) {
      if (network.getKey().equals("transformer") || network.getKey().equals("text_encoder_2")) {
        parameters += weights(directory.resolve(network.getKey()), network.getValue());
      }
    }
    System.out.printf("%.2f B parameters in transformer and text encoder%n", parameters / 1e9);
  }

  private static void change(Path config, Map<String, Integer> values, List<Integer> ropeWidths)
      throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
    values.forEach(json::put);
    if (!ropeWidths.isEmpty()) {
      ArrayNode widths = json.putArray("axes_dims_rope");
      ropeWidths.forEach(widths::add);
    }
    JSON.writeValue(config.toFile(), json);
  }

  /** Replaces the weights of a component; returns how many they are. */
  private static long weights(Path component, WeightLayout layout) throws IOException {
    Path file;
    try (var files = Files.list(component)) {
      file =
          files.filter(path -> path.toString().endsWith(".safetensors")).findFirst().orElseThrow();
    }
    StringJoiner header = new StringJoiner(",", "{", "}");
    long end = 0;
    for (Map.Entry<String, List<Long>> tensor : layout.shapes().entrySet()) {
      long bytes = DType.BF16.bytes() * tensor.getValue().stream().reduce(1L, (a, b) -> a * b);
      header.add(
          "\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(tensor.getKey(), tensor.getValue(), end, end + bytes));
      end += bytes;
    }
    String padded = header + " ".repeat((8 - header.length() % 8) % 8);
    ByteBuffer noise = noise();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(length.putLong(padded.length()).flip());
      channel.write(ByteBuffer.wrap(padded.getBytes(StandardCharsets.US_ASCII)));
      for (long left = end; left > 0; left -= noise.capacity()) {
        channel.write(noise.duplicate().limit((int) Math.min(left, noise.capacity())));
      }
    }
    return end / DType.BF16.bytes();
  }

  /** Numbers between -0.02 and 0.02, so that no activation overflows. */
  private static ByteBuffer noise() {
    ByteBuffer noise = ByteBuffer.allocate(1 << 24).order(ByteOrder.LITTLE_ENDIAN);
    Random random = new Random(1);
    while (noise.hasRemaining()) {
      float number = (random.nextFloat() - 0.5f) / 25;
      noise.putShort((short) (Float.floatToRawIntBits(number) >>> 16));
    }
    return noise.flip();
  }
}
