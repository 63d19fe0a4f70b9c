package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.checkpoint.WeightStore;
import io.lightmill.pipeline.lora.LoraAdapter;
import io.lightmill.pipeline.torch.ModelOffload;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The networks of a checkpoint, once without adapters and once for each of the last few LoRA
 * blends. All share the checkpoint's tensors.
 *
 * <p>Adapters are applied while a network runs: a layer computes {@code W x + B (A x)}. Fusing
 * {@code B A} into {@code W} would save 2 to 10 % of the time, but would need the adapted layers a
 * second time, would round small adapters away in 16 bits, and would make each change of blend cost
 * seconds. diffusers computes the same way unless it is set to fuse, so the images are diffusers'.
 *
 * <p>Drawings with any blends run concurrently. With offloading they are exclusive, since each
 * phase moves the networks of the phase before off the device.
 */
final class LoadedNetworks implements AutoCloseable {

  /** Blends that stay loaded; a table in batch order uses one at a time. */
  private static final int MAX_BLENDS = 4;

  private final WeightStore store;
  private final boolean offload;
  private final Set<String> adapters;
  private final Function<LoraBlend, FlowNetworks> loading;
  private final PromptCache prompts;
  private final DenoisingTurns denoising;
  private final ReentrantLock device = new ReentrantLock(/* fair= */ true);
  private final Map<LoraBlend, Entry> blends = new LinkedHashMap<>(8, 0.75f, true);
  private final Entry plain = new Entry(LoraBlend.NONE);
  private boolean closed;

  /**
   * Loads the networks without adapters; those of blends follow on first use.
   *
   * @param place device of the networks
   * @param store closed with this, and if loading fails
   * @param adapters that blends may contain, by name
   * @param loading loads the networks of a blend
   */
  LoadedNetworks(
      Device place,
      WeightStore store,
      boolean offload,
      Map<String, LoraAdapter> adapters,
      Function<LoraBlend, FlowNetworks> loading) {
    this.denoising = new DenoisingTurns(place);
    this.store = store;
    this.offload = offload;
    this.adapters = Set.copyOf(adapters.keySet());
    this.prompts =
        new PromptCache(
            adapters.entrySet().stream()
                .filter(adapter -> adapter.getValue().changesTexts())
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet()));
    this.loading = loading;
    try {
      plain.networks();
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /** The networks of one blend, with the threads that use them. */
  private final class Entry {

    private final LoraBlend blend;
    private FlowNetworks loaded;
    private int uses;
    private boolean evicted;

    private Entry(LoraBlend blend) {
      this.blend = blend;
    }

    /** Loads on first use; other blends are not blocked meanwhile. */
    private synchronized FlowNetworks networks() {
      if (loaded == null) {
        loaded = loading.apply(blend);
      }
      return loaded;
    }

    private void closeIfUnused() {
      if (evicted && uses == 0 && loaded != null) {
        loaded.close();
        loaded = null;
      }
    }
  }

  /** The right to use the networks of a blend until it is closed, by the thread that took it. */
  final class Lease implements AutoCloseable {

    private final Entry entry;

    private Lease(Entry entry) {
      this.entry = entry;
    }

    FlowNetworks networks() {
      return entry.networks();
    }

    @Override
    public void close() {
      synchronized (LoadedNetworks.this) {
        entry.uses--;
        entry.closeIfUnused();
      }
      if (offload) {
        device.unlock();
      }
    }
  }

  /** Whether each phase moves the networks of the phase before off the device. */
  boolean offloaded() {
    return offload;
  }

  /** What has been loaded again while networks took turns on the device. */
  ModelOffload.Loads loads() {
    return store.loads();
  }

  /** Whose turn it is to denoise. */
  DenoisingTurns denoising() {
    return denoising;
  }

  /** The prompts that these networks have encoded. */
  PromptCache prompts() {
    return prompts;
  }

  /**
   * Takes the networks of a blend into use. With offloading, waits until no other thread uses any.
   *
   * @throws LightmillException with {@code VALUE_INVALID} if the blend names an unknown adapter
   */
  Lease lease(LoraBlend blend) {
    if (!adapters.containsAll(blend.weights().keySet())) {
      throw new LightmillException(
          ErrorCode.VALUE_INVALID,
          "lora '%s' names an adapter that is none of %s; declare it for the job"
              .formatted(blend, adapters));
    }
    if (offload) {
      device.lock();
    }
    try {
      return new Lease(used(blend));
    } catch (RuntimeException e) {
      if (offload) {
        device.unlock();
      }
      throw e;
    }
  }

  private synchronized Entry used(LoraBlend blend) {
    if (closed) {
      throw new IllegalStateException("the pipeline is closed");
    }
    Entry entry = blend.isEmpty() ? plain : blends.computeIfAbsent(blend, Entry::new);
    entry.uses++;
    Iterator<Entry> leastRecentlyUsed = blends.values().iterator();
    while (blends.size() > MAX_BLENDS) {
      evict(leastRecentlyUsed.next());
      leastRecentlyUsed.remove();
    }
    return entry;
  }

  /** The last thread that uses the networks closes them. */
  private static void evict(Entry entry) {
    entry.evicted = true;
    entry.closeIfUnused();
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      List<Entry> all = new ArrayList<>(blends.values());
      all.add(plain);
      all.forEach(LoadedNetworks::evict);
      prompts.close();
      store.close();
    }
  }
}
