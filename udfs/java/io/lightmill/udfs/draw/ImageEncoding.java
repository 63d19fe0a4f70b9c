package io.lightmill.udfs.draw;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.Receipt;
import io.lightmill.udfs.plan.ImageIdentity;
import java.io.Serializable;

/** Encodes images with their receipts, in the format that is a part of their identity. */
public record ImageEncoding(
    ImageIdentity identity, ClassifierFreeGuidance guidance, ImageMarking marking)
    implements Serializable {

  private static final String SOFTWARE = "Lightmill";

  /** The name of FlowMatchEulerDiscreteScheduler in the community's tools. */
  private static final String SAMPLER = "Euler";

  private static final String SCHEDULE_TYPE = "Simple";

  /**
   * The bytes of an image file.
   *
   * @param request that the image is identified by
   * @param facts of its drawing, which may have had a further seed
   * @throws LightmillException with {@code STORE_FAILED} if the image cannot be encoded
   */
  public byte[] encoded(ImageRequest request, DrawingFacts facts, RgbImage image) {
    String imageId = ImageIdentity.imageId(identity.canonicalJson(request));
    Receipt receipt =
        new Receipt(
            marking.prompts().shown(facts.drawn(request)),
            guidance,
            identity.model().hosted() ? "" : SAMPLER,
            SCHEDULE_TYPE,
            marking.system(),
            identity.model().digest(),
            SOFTWARE,
            identity.receiptJson(request, marking.prompts(), facts));
    try {
      byte[] file =
          ImageEncoder.encode(
              marking.marked(image), receipt, marking.labels(imageId), identity.file());
      return marking.signed(file, SOFTWARE);
    } catch (LightmillException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new LightmillException(
          ErrorCode.STORE_FAILED, "image %s could not be encoded: %s".formatted(imageId, e), e);
    }
  }
}
