package io.lightmill.udfs.device;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the model in local mode while the driver still plans the generating stage. A model that
 * cannot be loaded is left to the tasks, which fail with the reason.
 */
public final class ModelPreload {

  private static final Logger LOG = LoggerFactory.getLogger(ModelPreload.class);

  private final List<Thread> threads;

  private ModelPreload(List<Thread> threads) {
    this.threads = threads;
  }

  /** Begins to load, if this JVM will draw. */
  public static ModelPreload of(Cluster cluster, PipelineLoader loader, long images) {
    return new ModelPreload(
        cluster.local() && images > 0 && loader.hosted().isEmpty()
            ? TaskDevice.local(cluster).stream()
                .map(device -> started(LoadedPipelines.slot(device), loader))
                .toList()
            : List.of());
  }

  private static Thread started(DeviceSlot slot, PipelineLoader loader) {
    Thread thread =
        new Thread(
            () -> {
              try {
                slot.load(loader);
              } catch (InterruptedException | RuntimeException e) {
                LOG.debug("{} is not loaded ahead of its tasks", slot.device(), e);
              }
            },
            "load " + slot.device());
    thread.setDaemon(true); // a refusal ends the process meanwhile
    thread.start();
    return thread;
  }

  /** Waits, so that what was loaded can be released. */
  public void await() throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
