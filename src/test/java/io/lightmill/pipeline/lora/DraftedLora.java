package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.checkpoint.StoredBytes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** An adapter of random matrices that can be saved, and folded into a checkpoint's files. */
final class DraftedLora {

  private static final String TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors";

  /** Rows of a tensor in a checkpoint's file. */
  record Rows(String file, String tensor, int first, int count) {

    /** All rows of a layer of the transformer. */
    static Rows of(String layer, int count) {
      return new Rows(TRANSFORMER, layer + ".weight", 0, count);
    }

    static Rows of(String layer, int first, int count) {
      return new Rows(TRANSFORMER, layer + ".weight", first, count);
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // numbers on their way to files; never compared
  private record Product(List<Rows> targets, int rank, double scale, float[] down, float[] up) {}

  private final Random random;
  private final Map<String, StoredBytes> tensors = new TreeMap<>();
  private final List<Product> products = new ArrayList<>();

  DraftedLora(long seed) {
    this.random = new Random(seed);
  }

  /** A layer in kohya's style, with an alpha of its own. */
  DraftedLora kohya(String name, int inputs, int rank, float alpha, Rows... targets) {
    tensors.put(name + ".alpha", StoredBytes.of(new float[] {alpha}));
    return layer(
        name + ".lora_down.weight",
        name + ".lora_up.weight",
        inputs,
        rank,
        alpha / rank,
        List.of(targets));
  }

  /** A layer in PEFT's style. */
  DraftedLora peft(String name, int inputs, int rank, Rows... targets) {
    return peftOfScale(name, inputs, rank, 1, targets);
  }

  /** A layer in PEFT's style whose scale stands in the metadata. */
  DraftedLora peftOfScale(String name, int inputs, int rank, double scale, Rows... targets) {
    return layer(
        name + ".lora_A.weight", name + ".lora_B.weight", inputs, rank, scale, List.of(targets));
  }

  private DraftedLora layer(
      String down, String up, int inputs, int rank, double scale, List<Rows> targets) {
    int outputs = targets.stream().mapToInt(Rows::count).sum();
    float[] a = numbers(rank * inputs);
    float[] b = numbers(outputs * rank);
    tensors.put(down, StoredBytes.of(a, (long) rank, (long) inputs));
    tensors.put(up, StoredBytes.of(b, (long) outputs, (long) rank));
    products.add(new Product(targets, rank, scale, a, b));
    return this;
  }

  private float[] numbers(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (0.3 * random.nextGaussian());
    }
    return numbers;
  }

  Map<String, StoredBytes> tensors() {
    return tensors;
  }

  Path save(Path file) throws IOException {
    return StoredBytes.write(file, tensors);
  }

  Path save(Path file, Map<String, String> metadata) throws IOException {
    return StoredBytes.write(file, tensors, metadata);
  }

  /** Adds {@code weight * scale * up * down} to the files of a checkpoint, computed in doubles. */
  void fold(Path checkpoint, double weight) throws IOException {
    for (Product product : products) {
      int row = 0;
      for (Rows target : product.targets()) {
        Path file = checkpoint.resolve(target.file());
        Map<String, StoredBytes> stored = StoredBytes.read(file);
        StoredBytes tensor = stored.get(target.tensor());
        stored.put(
            target.tensor(),
            StoredBytes.of(
                folded(tensor, product, target, row, weight), tensor.shape().toArray(new Long[0])));
        StoredBytes.write(file, stored);
        row += target.count();
      }
    }
  }

  private static float[] folded(
      StoredBytes tensor, Product product, Rows target, int firstRow, double weight) {
    float[] values = tensor.floats();
    int inputs = tensor.shape().get(1).intValue();
    for (int i = 0; i < target.count(); i++) {
      for (int j = 0; j < inputs; j++) {
        double sum = 0;
        for (int r = 0; r < product.rank(); r++) {
          sum +=
              (double) product.up()[(firstRow + i) * product.rank() + r]
                  * product.down()[r * inputs + j];
        }
        int at = (target.first() + i) * inputs + j;
        values[at] = (float) (values[at] + weight * product.scale() * sum);
      }
    }
    return values;
  }
}
