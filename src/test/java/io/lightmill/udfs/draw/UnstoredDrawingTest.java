package io.lightmill.udfs.draw;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.plan.ImageIdentity;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnstoredDrawingTest {

  @Test
  void equalRequestsOfABatchAreDrawnOnce() {
    SolidColorPipeline pipeline = new SolidColorPipeline();
    UnstoredDrawing drawing =
        UnstoredDrawing.of(
            new ImageIdentity(new Model("m", "d", "P", "S", "float32"), ImageFormat.PNG),
            ClassifierFreeGuidance.TRUE_CFG_SCALE,
            new ImageMarking("m", null, null, null, PromptMetadata.FULL, null, null),
            new Cluster(false, 1, true, 0),
            pipeline.loader(),
            1,
            new Batching(8, Batching.RESIDENT));
    LoadedPipelines.Run run = LoadedPipelines.run(pipeline.loader());
    try {
      List<UnstoredDrawing.Encoded> images =
          drawing
              .on(LoadedPipelines.slot(Device.CPU))
              .draw(
                  List.of(
                      new BatchDrawing.KeyedBatch(
                          "key", List.of(request(1), request(2), request(1)))))
              .get(0);

      assertThat(pipeline.batches).containsExactly(List.of(request(1), request(2)));
      assertThat(images).extracting(UnstoredDrawing.Encoded::failure).containsOnlyNulls();
      assertThat(images.get(2).bytes())
          .isEqualTo(images.get(0).bytes())
          .isNotEqualTo(images.get(1).bytes());
      assertThat(images.get(0).device().total()).isPositive();
      assertThat(images.get(2).device().total()).isZero();
    } finally {
      run.close();
    }
  }

  private static ImageRequest request(long seed) {
    return ImageRequest.builder("a mug").width(16).height(16).seed(seed).build();
  }
}
