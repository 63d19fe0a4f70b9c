package io.lightmill.pipeline;

import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Batches as a pipeline draws them in one go, as it does on GPUs. */
public final class DrawnBatch {

  private DrawnBatch() {}

  /** The values of each image in [0, 1]. */
  public static List<float[]> of(FlowPipeline pipeline, List<ImageRequest> batch) {
    try (Tensor image = pipeline.draw(batch, Optional.empty(), TensorProbe.NONE)) {
      float[] all = image.toFloats();
      int each = all.length / batch.size();
      return IntStream.range(0, batch.size())
          .mapToObj(i -> Arrays.copyOfRange(all, i * each, (i + 1) * each))
          .toList();
    }
  }

  /** The largest difference between values of two images; infinite where one is no number. */
  public static double difference(float[] image, float[] other) {
    double largest = image.length == other.length ? 0 : Double.POSITIVE_INFINITY;
    for (int i = 0; i < Math.min(image.length, other.length); i++) {
      double difference = Math.abs((double) image[i] - other[i]);
      largest = difference <= largest ? largest : Double.isNaN(difference) ? 1 / 0.0 : difference;
    }
    return largest;
  }
}
