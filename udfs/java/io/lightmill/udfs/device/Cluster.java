package io.lightmill.udfs.device;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.torch.Torch;
import io.lightmill.udfs.DeviceChoice;
import java.io.Serializable;
import java.util.function.IntSupplier;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * Where the generating tasks will run.
 *
 * @param cuda whether tasks draw on GPUs
 * @param slots tasks that draw at a time
 * @param local whether the driver is the executor
 * @param localGpus that it hands out itself, since Spark's local mode hands out none
 * @param taskGpus that generating tasks, and no others, ask Spark for; 0 if every task asks, or
 *     none
 */
public record Cluster(boolean cuda, int slots, boolean local, int localGpus, double taskGpus)
    implements Serializable {

  /** Tasks that share a GPU, where the session leaves it to the generating stage to ask. */
  static final String SLOTS_PER_GPU = "spark.lightmill.slotsPerGpu";

  /** More partitions a slot make a lost task cheap and the last tasks short. */
  private static final int MOST_PARTITIONS_PER_SLOT = 8;

  /** So that a task has something to draw while it stores. */
  private static final int BATCHES_PER_PARTITION = 4;

  private static final int PARTITIONS_PER_SLOT = 4;

  public Cluster(boolean cuda, int slots, boolean local, int localGpus) {
    this(cuda, slots, local, localGpus, 0);
  }

  /**
   * Reads the session's configuration.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for GPU settings under which
   *     Spark would wait for ever, or draw on CPUs beside idle GPUs, and where GPUs are wanted and
   *     there are none
   */
  public static Cluster of(SparkContext spark, DeviceChoice wanted) {
    int executors =
        spark.statusTracker().getExecutorInfos().length - 1; // one of them is the driver
    return of(spark.getConf(), executors, spark.defaultParallelism(), wanted, Torch::gpus);
  }

  /**
   * Reads a configuration.
   *
   * @param executors that are there already
   * @param cores of all executors
   * @param gpus of this machine, asked only in local mode
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
      int slots = Math.max(executors, asked(conf)) * tasksPerExecutor(conf, perTask);
      return new Cluster(true, slots, local, 0, taskGpus);
    }
    int own = local ? gpus.getAsInt() : 0;
    if (wanted == DeviceChoice.CUDA && own == 0) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID, "device cuda is asked for, but " + noGpus(local));
    }
    return own > 0
        ? new Cluster(true, own, true, own)
        : new Cluster(false, Math.max(1, cores), local, 0);
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

  private static int asked(SparkConf conf) {
    return conf.getInt("spark.executor.instances", 1);
  }

  private static int tasksPerExecutor(SparkConf conf, double gpusPerTask) {
    return Math.max(1, (int) Math.floor(RequestedGpus.of(conf).executor() / gpusPerTask));
  }

  /**
   * Images that are drawn as one batch: one on CPUs, which draw each image alone, so that the
   * partitions stay balanced to the end; with offloading more, since a batch loads each network
   * once.
   *
   * @param wanted most images of a batch on GPUs
   */
  public int batchSize(int wanted, boolean offload) {
    return cuda || offload ? wanted : 1;
  }

  /** Partitions of the generating stage: four to eight a slot, never more than batches. */
  public int partitions(long batches) {
    long few = Math.min(batches, (long) PARTITIONS_PER_SLOT * slots);
    long many = Math.min(batches / BATCHES_PER_PARTITION, (long) MOST_PARTITIONS_PER_SLOT * slots);
    return (int) Math.max(1, Math.max(few, many));
  }
}
