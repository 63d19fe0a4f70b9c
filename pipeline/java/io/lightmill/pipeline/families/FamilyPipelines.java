package io.lightmill.pipeline.families;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.PipelineProvider;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import java.nio.file.Path;

/** Loads the checkpoints of all {@link Families}; {@link java.util.ServiceLoader} finds it. */
public final class FamilyPipelines implements PipelineProvider {

  @Override
  public DiffusionPipeline load(Path checkpoint, Device device, DType dtype) {
    return Families.load(Checkpoint.open(checkpoint), device, dtype);
  }
}
