import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.TensorEntry;
import io.lightmill.pipeline.checkpoint.WeightFiles;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Torch;
import io.lightmill.pipeline.torch.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.StringJoiner;

/**
 * Writes a checkpoint of random weights in BF16 shards, or loads it.
 *
 * <p>Usage: LoadLarge write DIRECTORY BILLIONS | LoadLarge load DIRECTORY DTYPE MILLIS, where
 * MILLIS is the time in which the disk reads the files
 */
class LoadLarge {

  /** A block of a FLUX-like transformer: tensors of many sizes. */
  private static final long[][] BLOCK = {
    {3072, 3072}, {3072, 3072}, {3072, 3072}, {3072}, {128}, {12288, 3072}, {3072, 15360}
  };

  private static final int BLOCKS_A_SHARD = 8;

  public static void main(String[] args) throws IOException {
    Path directory = Path.of(args[1]);
    if (args[0].equals("write")) {
      write(directory, Double.parseDouble(args[2]) * 1e9);
    } else {
      load(directory, DType.valueOf(args[2]), Long.parseLong(args[3]));
    }
  }

  private static void load(Path directory, DType dtype, long diskMillis) throws IOException {
    WeightFiles files = WeightFiles.in(directory, Optional.empty());
    WeightLayout layout = new WeightLayout();
    long parameters = 0;
    for (SafetensorsFile file : files.files()) {
      for (TensorEntry entry : file.tensors().values()) {
        layout.tensor(entry.name(), entry.shape().stream().mapToLong(Long::longValue).toArray());
        parameters += entry.count();
      }
    }
    ScriptModule.of("weights", "Weights"); // loads the engine, which is not measured
    long before = status("RssAnon");
    Peak peak = new Peak();
    peak.start();
    Duration processor = processor();
    long start = System.nanoTime();
    WeightLoader loader = new WeightLoader(Device.CPU, dtype);
    int cores = Runtime.getRuntime().availableProcessors();
    try (Weights weights = Torch.withThreads(cores, () -> loader.load(files, layout))) {
      double seconds = (System.nanoTime() - start) / 1e9;
      processor = processor().minus(processor);
      peak.interrupt();
      long resident = parameters * dtype.bytes();
      double read = parameters * (double) DType.BF16.bytes();
      System.out.printf(
          "%.2f B parameters to %s; disk %.0f MB/s; loaded in %.1f s, %.0f MB/s, %.2f of the"
              + " disk's; %.1f s of processor time; resident %d MB; peak anonymous %d MB, %.3f of"
              + " that%n",
          parameters / 1e9,
          dtype,
          read / diskMillis / 1e3,
          seconds,
          read / seconds / 1e6,
          diskMillis / 1e3 / seconds,
          processor.toMillis() / 1e3,
          resident >> 20,
          (peak.bytes - before) >> 20,
          (peak.bytes - before) / (double) resident);
    }
  }

  private static Duration processor() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
  }

  /** Watches anonymous memory, for whose peak the kernel keeps no counter. */
  private static final class Peak extends Thread {

    private volatile long bytes;

    @Override
    public void run() {
      try {
        while (true) {
          bytes = Math.max(bytes, status("RssAnon"));
          Thread.sleep(20);
        }
      } catch (IOException | InterruptedException e) {
        return;
      }
    }
  }

  private static void write(Path directory, double parameters) throws IOException {
    long block = 0;
    for (long[] shape : BLOCK) {
      block += count(shape);
    }
    int shards = (int) Math.max(1, Math.round(parameters / block / BLOCKS_A_SHARD));
    StringJoiner map = new StringJoiner(",", "{\"weight_map\":{", "}}");
    for (int i = 0; i < shards; i++) {
      String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards);
      shard(directory.resolve(name), name, i, map);
    }
    Files.writeString(directory.resolve("model.safetensors.index.json"), map.toString());
  }

  private static void shard(Path file, String fileName, int shard, StringJoiner map)
      throws IOException {
    StringJoiner header = new StringJoiner(",", "{", "}");
    long end = 0;
    for (int i = 0; i < BLOCKS_A_SHARD; i++) {
      for (int j = 0; j < BLOCK.length; j++) {
        String name = "blocks.%d.tensor.%d".formatted(shard * BLOCKS_A_SHARD + i, j);
        long bytes = count(BLOCK[j]) * DType.BF16.bytes();
        String shape = Arrays.toString(BLOCK[j]);
        header.add(
            "\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                .formatted(name, shape, end, end + bytes));
        map.add("\"%s\":\"%s\"".formatted(name, fileName));
        end += bytes;
      }
    }
    String padded = header + " ".repeat((8 - header.length() % 8) % 8);
    byte[] noise = new byte[1 << 24];
    new Random(shard).nextBytes(noise);
    for (int i = 1; i < noise.length; i += 2) {
      noise[i] &= (byte) 0xbf; // numbers below 2
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(length.putLong(padded.length()).flip());
      channel.write(ByteBuffer.wrap(padded.getBytes(StandardCharsets.US_ASCII)));
      for (long left = end; left > 0; left -= noise.length) {
        channel.write(ByteBuffer.wrap(noise, 0, (int) Math.min(left, noise.length)));
      }
    }
  }

  private static long count(long[] shape) {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }

  /** Bytes of a line of {@code /proc/self/status}. */
  private static long status(String key) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith(key + ":"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElseThrow();
  }
}
