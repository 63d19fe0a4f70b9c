package io.lightmill.udfs.draw;

import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import java.io.Serializable;
import org.apache.spark.sql.Row;

/**
 * How many images are drawn together.
 *
 * @param batchSize images that a device draws at once; {@link #MEASURED} to find out on the device
 * @param chunk images that go through one phase before networks change places on the device; {@link
 *     #RESIDENT} if they stay there
 */
public record Batching(int batchSize, int chunk) implements Serializable {

  public static final int MEASURED = 0;

  public static final int RESIDENT = 0;

  /** The pixels of a chunk take at most this share of the heap, which has two chunks at a time. */
  private static final int HEAP_SHARE = 8;

  /** What the options say for a cluster. */
  public static Batching of(GenerationOptions options, Cluster cluster) {
    return new Batching(
        cluster.batchSize(options.find(ModelOptions.BATCH_SIZE)),
        options.get(ModelOptions.OFFLOAD) ? options.get(ModelOptions.OFFLOAD_CHUNK) : RESIDENT);
  }

  /**
   * Images of a chunk, as many as fit the heap; {@link #RESIDENT} for a single batch.
   *
   * @param first row of it
   */
  int chunk(Row first) {
    if (chunk == RESIDENT) {
      return RESIDENT;
    }
    int width = ManifestColumns.WIDTH.of(first);
    int height = ManifestColumns.HEIGHT.of(first);
    long room = Runtime.getRuntime().maxMemory() / HEAP_SHARE / (3L * width * height);
    return (int) Math.max(1, Math.min(chunk, room));
  }
}
