import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
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
import java.util.Optional;
import java.util.Random;
import java.util.StringJoiner;

/**
 * Measures the peak memory of a load, relative to the memory of the loaded weights. Writes a random
 * checkpoint of the given type and size first, and loads it as 32-bit floats.
 *
 * <p>Usage: LoadMemory BF16|F16|F32 MEBIBYTES
 */
class LoadMemory {

  private static final int TENSOR_SIDE = 2048;

  public static void main(String[] args) throws IOException {
    DType dtype = DType.valueOf(args[0]);
    int tensors =
        Math.toIntExact(
            (Long.parseLong(args[1]) << 20) / dtype.bytes() / TENSOR_SIDE / TENSOR_SIDE);
    WeightLayout layout = new WeightLayout();
    for (int i = 0; i < tensors; i++) {
      layout.tensor("w" + i, TENSOR_SIDE, TENSOR_SIDE);
    }
    WeightLoader loader = new WeightLoader(Device.CPU, DType.F32);
    Path directory = Files.createTempDirectory("load-memory");
    Path file = directory.resolve("model.safetensors");
    try {
      write(file, dtype, tensors);
      ScriptModule.of("weights", "Weights"); // loads the engine, which is not measured
      long before = status("VmRSS");
      Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // resets the peak, VmHWM
      long start = System.nanoTime();
      try (Weights weights =
          Torch.withThreads(
              Runtime.getRuntime().availableProcessors(),
              () -> loader.load(WeightFiles.in(directory, Optional.empty()), layout))) {
        double seconds = (System.nanoTime() - start) / 1e9;
        long resident = (long) tensors * TENSOR_SIDE * TENSOR_SIDE * DType.F32.bytes();
        long peak = status("VmHWM") - before;
        System.out.printf(
            "%s %d MB: loaded in %.2f s; weights %d MB; peak %d MB, %.3f of the weights; then %d"
                + " MB, of which %d MB anonymous%n",
            dtype,
            Files.size(file) >> 20,
            seconds,
            resident >> 20,
            peak >> 20,
            (double) peak / resident,
            (status("VmRSS") - before) >> 20,
            status("RssAnon") >> 20);
      }
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }

  private static void write(Path file, DType dtype, int tensors) throws IOException {
    long bytes = (long) TENSOR_SIDE * TENSOR_SIDE * dtype.bytes();
    StringJoiner header = new StringJoiner(",", "{", "}");
    for (int i = 0; i < tensors; i++) {
      header.add(
          "\"w%d\":{\"dtype\":\"%s\",\"shape\":[%d,%d],\"data_offsets\":[%d,%d]}"
              .formatted(i, dtype, TENSOR_SIDE, TENSOR_SIDE, i * bytes, (i + 1) * bytes));
    }
    String padded = header + " ".repeat((8 - header.length() % 8) % 8);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(length.putLong(padded.length()).flip());
      channel.write(ByteBuffer.wrap(padded.getBytes(StandardCharsets.US_ASCII)));
      byte[] noise = new byte[(int) bytes];
      new Random(0).nextBytes(noise);
      for (int i = 0; i < tensors; i++) {
        channel.write(ByteBuffer.wrap(noise));
      }
    }
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
