package io.lightmill.pipeline.checks;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import java.util.Optional;

/**
 * Finds images of one colour: all values of a channel lie within {@value #RANGE} of 255 of each
 * other. A network whose numbers overflow, or whose weights are damaged, draws such images; an
 * intact one gives even a plain background more texture than that.
 */
final class BlankCheck {

  /** Difference of the greatest and the least value of a channel, in steps of 8 bits. */
  static final int RANGE = 2;

  private static final ScriptModule SCRIPT = ScriptModule.of("checks", "Checks");

  private BlankCheck() {}

  /** The failure of an image of one colour; empty for any other. */
  static Optional<LightmillException> failure(RgbImage image, Device device) {
    int range;
    try (Tensor onCpu = Tensor.of(image.rgb(), image.height(), image.width(), 3);
        Tensor onDevice = onCpu.to(device, DType.U8);
        Tensor widest = SCRIPT.tensor("range", onDevice);
        Tensor found = widest.to(Device.CPU, DType.U8)) {
      range = Byte.toUnsignedInt(found.toBytes()[0]);
    }
    byte[] rgb = image.rgb();
    return range > RANGE
        ? Optional.empty()
        : Optional.of(
            new LightmillException(
                ErrorCode.IMAGE_BLANK,
                "the image has one colour (red %d, green %d, blue %d, within %d of 255), as networks draw it whose numbers overflow or whose weights are damaged; use another dtype or fetch the checkpoint again, or keep such images (--blank-images=keep)"
                    .formatted(
                        Byte.toUnsignedInt(rgb[0]),
                        Byte.toUnsignedInt(rgb[1]),
                        Byte.toUnsignedInt(rgb[2]),
                        RANGE)));
  }
}
