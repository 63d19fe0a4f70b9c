package io.lightmill.udfs.device;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.torch.Torch;
import io.lightmill.udfs.DeviceChoice;
import java.io.Serializable;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * Where the generating tasks will run.
 *
 * @param cuda whether tasks draw on GPUs
 * @param slots tasks that draw at a time
 * @param local whether the driver is the executor
 * @param localGpus GPUs that Lightmill assigns itself, since Spark's local mode assigns none
 * @param taskGpus GPUs that each task of the generating stage, and of no other, requests from
 *     Spark; 0 if the tasks of all stages request GPUs, or none do
 */
public record Cluster(boolean cuda, int slots, boolean local, int localGpus, double taskGpus)
    implements Serializable {

  /** Tasks that share a GPU, where only the generating stage requests GPUs. */
  static final String SLOTS_PER_GPU = "spark.lightmill.slotsPerGpu";

  /** Many partitions per slot make retries cheap and the last tasks short. */
  private static final int MOST_PARTITIONS_PER_SLOT = 8;

  /** So that a task draws a batch while it stores another. */
  private static final int BATCHES_PER_PARTITION = 4;

  private static final int PARTITIONS_PER_SLOT = 4;

  /** Images of a batch, where the plan cannot know what the devices will find. */
  private static final int USUAL_BATCH = 8;

  public Cluster(boolean cuda, int slots, boolean local, int localGpus) {
    this(cuda, slots, local, localGpus, 0);
  }

  /**
   * Reads the session's configuration.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for GPU settings under which
   *     Spark would wait for ever, or draw on CPUs beside idle GPUs, and where GPUs are required
   *     and there are none
   */
  public static Cluster of(SparkContext spark, DeviceChoice wanted) {
    int executors =
        spark.statusTracker().getExecutorInfos().length - 1; // one of them is the driver
    return of(spark.getConf(), executors, spark.defaultParallelism(), wanted, Torch::gpus);
  }

  /**
   * Reads a configuration.
   *
   * @param executors that are registered
   * @param cores of all executors
   * @param gpus of this machine, called only in local mode
   */
  static Cluster of(
      SparkConf conf, int executors, int cores, DeviceChoice wanted, IntSupplier gpus) {
    String master = conf.get("spark.master");
    boolean local = isLocal(master);
    RequestedGpus.of(conf).requireGrantable(master, local);
    if (wanted == DeviceChoice.CPU) {
      return new Cluster(false, Math.max(1, cores), local, 0);
    }
    double taskGpus = StageGpus.perTask(conf);
    double perTask = taskGpus > 0 ? taskGpus : RequestedGpus.of(conf).task();
    if (perTask > 0) {
      int slots = Math.max(executors, requested(conf)) * tasksPerExecutor(conf, perTask);
      return new Cluster(true, slots, local, 0, taskGpus);
    }
    int own = local ? gpus.getAsInt() : 0;
    if (wanted == DeviceChoice.CUDA && own == 0) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID, "the option device is cuda, but " + noGpus(local));
    }
    return own > 0
        ? new Cluster(true, own, true, own)
        : new Cluster(false, Math.max(1, cores), local, 0);
  }

  /**
   * Checks that a function that draws in any stage has the GPUs of the cluster.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if only the generating stage
   *     requests GPUs
   */
  public void requireGpusInAllStages() {
    if (taskGpus > 0) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "generate_image would draw in tasks that request no GPU; set %s, such as 1, or call generate_images, whose tasks request one"
              .formatted(RequestedGpus.TASK));
    }
  }

  /** Whether the driver is the executor. */
  static boolean isLocal(String master) {
    return master.matches("local(\\[.*])?");
  }

  private static String noGpus(boolean local) {
    return local
        ? "libtorch sees no GPU here; install a libtorch for CUDA and name it in"
            + " PYTORCH_LIBRARY_PATH, PYTORCH_VERSION and PYTORCH_FLAVOR, or choose cpu"
        : "executors have no GPU; set %s, such as 1, or choose cpu"
            .formatted(RequestedGpus.EXECUTOR);
  }

  private static int requested(SparkConf conf) {
    return conf.getInt("spark.executor.instances", 1);
  }

  private static int tasksPerExecutor(SparkConf conf, double gpusPerTask) {
    return Math.max(1, (int) Math.floor(RequestedGpus.of(conf).executor() / gpusPerTask));
  }

  /**
   * Images of a batch: one on CPUs, which draw each image alone, so that the partitions stay
   * balanced to the end.
   *
   * @param wanted on GPUs; empty to find it by measurement
   * @return 0 if it is measured
   */
  public int batchSize(Optional<Integer> wanted) {
    return cuda ? wanted.orElse(0) : 1;
  }

  /**
   * Images that the plan keeps together: those of a batch, or of a chunk for which networks change
   * places once.
   *
   * @param batchSize of {@link #batchSize}
   * @param chunk images of a chunk; 0 without offloading
   * @param images to draw; every slot gets some
   */
  public int together(int batchSize, int chunk, long images) {
    long each = Math.max(1, (images + slots - 1) / slots);
    int batch = batchSize == 0 ? USUAL_BATCH : batchSize;
    return chunk == 0 ? batch : (int) Math.min(chunk, each);
  }

  /**
   * Partitions of the generating stage, by their sizes relative to each other. Spark starts their
   * tasks in order, and each slot gets one of each size: at most eight, of which the last is the
   * smallest, so that no slot is idle for long while others draw.
   *
   * @return sizes that decrease to 1, with a sum of no more than batches
   */
  public int[] partitionSizes(long batches) {
    int largest = 1;
    while (largest < MOST_PARTITIONS_PER_SLOT
        && (largest + 1L) * (largest + 2) / 2 * slots <= batches) {
      largest++;
    }
    int perSize = (int) Math.max(1, Math.min(batches, slots));
    return IntStream.iterate(largest, size -> size >= 1, size -> size - 1)
        .flatMap(size -> IntStream.generate(() -> size).limit(perSize))
        .toArray();
  }

  /**
   * Number of partitions of about the same size, such as those of shards: four to eight a slot,
   * never more than batches.
   */
  public int partitions(long batches) {
    long few = Math.min(batches, (long) PARTITIONS_PER_SLOT * slots);
    long many = Math.min(batches / BATCHES_PER_PARTITION, (long) MOST_PARTITIONS_PER_SLOT * slots);
    return (int) Math.max(1, Math.max(few, many));
  }
}
