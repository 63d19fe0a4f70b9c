package io.lightmill.udfs.device;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.families.MemoryPlan;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How much memory a pipeline takes on a CPU. */
public interface DrawingMemory {

  /** That of a pipeline whose needs are not known: nothing limits how many images are drawn. */
  DrawingMemory UNKNOWN =
      new DrawingMemory() {
        @Override
        public long weights() {
          return 0;
        }

        @Override
        public long activations(ImageRequest request) {
          return 0;
        }
      };

  /** Bytes of its weights. */
  long weights();

  /** The most bytes at once that an image takes beside the weights while it is drawn. */
  long activations(ImageRequest request);

  /** What the configs of a checkpoint say. */
  static DrawingMemory of(Checkpoint checkpoint, DType dtype) {
    return new Planned(checkpoint, dtype, new ConcurrentHashMap<>());
  }

  /** Plans for each size of an image and length of a prompt once. */
  record Planned(Checkpoint checkpoint, DType dtype, Map<Size, MemoryPlan> plans)
      implements DrawingMemory {

    /** All of a request that its memory depends on. */
    record Size(int width, int height, int tokens) {}

    @Override
    public long weights() {
      return plan(new Size(1, 1, 1)).weights();
    }

    @Override
    public long activations(ImageRequest request) {
      return plan(new Size(request.width(), request.height(), request.maxSequenceLength()))
          .activations();
    }

    private MemoryPlan plan(Size size) {
      return plans.computeIfAbsent(
          size, of -> MemoryPlan.of(checkpoint, dtype, of.width(), of.height(), of.tokens(), 1));
    }
  }
}
