package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.torch.Tensor;

/** Copies pictures to a device, and numbers from it. */
final class PictureTensor {

  private PictureTensor() {}

  /** {@code [height, width, 3]} of type U8, to be closed by the caller. */
  static Tensor of(RgbImage picture, Device device) {
    try (Tensor onCpu = Tensor.of(picture.rgb(), picture.height(), picture.width(), 3)) {
      return onCpu.to(device, DType.U8);
    }
  }

  static float[] floats(Tensor numbers) {
    try (Tensor onCpu = numbers.to(Device.CPU, DType.F32)) {
      return onCpu.toFloats();
    }
  }
}
