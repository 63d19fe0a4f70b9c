package io.lightmill.udfs.device;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.lora.LoraAdapter;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import java.util.Map;
import java.util.TreeMap;
import io.lightmill.udfs.store.SharedConfiguration;

/**
 * Loads a checkpoint by way of the node's cache.
 *
 * @param location as the user wrote it
 * @param digest that the driver found; part of the key, so that a changed checkpoint is loaded anew
 * @param digests that the driver found of the adapters, by name
 */
record CheckpointLoader(
    String location,
    String digest,
    DType dtype,
    Loading loading,
    Map<String, String> digests,
    SharedConfiguration hadoop)
    implements PipelineLoader {

  @Override
  public String key() {
    return String.join(
        " ", location, digest, dtype.name(), new TreeMap<>(digests).toString(), loading.toString());
  }

  @Override
  public PromptLength promptLength() {
    return Families.promptLength(checkpoint());
  }

  @Override
  public DrawingMemory memory() {
    return DrawingMemory.of(checkpoint(), dtype);
  }

  @Override
  public DiffusionPipeline load(Device device) {
    Checkpoint checkpoint = checkpoint();
    if (!CheckpointCache.ofUser().digest(checkpoint).equals(digest)) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "the checkpoint '%s' holds other files here than on the driver; give all nodes the same"
              .formatted(location));
    }
    Map<String, LoraAdapter> adapters = new TreeMap<>();
    digests.keySet().forEach(name -> adapters.put(name, adapter(checkpoint, name)));
    return Families.load(checkpoint, device, dtype, adapters, loading.offload());
  }

  private LoraAdapter adapter(Checkpoint checkpoint, String name) {
    String file = loading.adapters().get(name);
    LoraAdapter adapter =
        Families.adapter(checkpoint, new CheckpointFetch(hadoop.value()).localizeFile(file));
    if (!adapter.digest().equals(digests.get(name))) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "the adapter '%s' (%s) is another file here than on the driver; give all nodes the same"
              .formatted(name, file));
    }
    return adapter;
  }

  private Checkpoint checkpoint() {
    return Checkpoint.open(
        new CheckpointFetch(hadoop.value()).localize(location), loading.wanted());
  }
}
