package io.lightmill.udfs.draw;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.Receipt;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.plan.ImageIdentity;
import java.io.Serializable;

/** Encodes images with their receipts, in the format that is a part of their identity. */
record ImageEncoding(ImageIdentity identity, ClassifierFreeGuidance guidance)
    implements Serializable {

  private static final String SOFTWARE = "Lightmill";

  /** The name of FlowMatchEulerDiscreteScheduler in the community's tools. */
  private static final String SAMPLER = "Euler";

  private static final String SCHEDULE_TYPE = "Simple";

  /**
   * The bytes of an image file.
   *
   * @param request that the image is identified by
   * @param drawn the request that it was drawn from, which may have a further seed
   * @throws LightmillException with {@code STORE_FAILED} if the image cannot be encoded
   */
  byte[] encoded(ImageRequest request, ImageRequest drawn, RgbImage image) {
    String json = identity.canonicalJson(request);
    Model model = identity.model();
    Receipt receipt =
        new Receipt(
            drawn, guidance, SAMPLER, SCHEDULE_TYPE, model.name(), model.digest(), SOFTWARE, json);
    try {
      return ImageEncoder.encode(image, receipt, identity.format());
    } catch (RuntimeException e) {
      throw new LightmillException(
          ErrorCode.STORE_FAILED,
          "image %s could not be encoded: %s".formatted(ImageIdentity.imageId(json), e),
          e);
    }
  }
}
