package io.lightmill.udfs.draw;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.manifest.ScreeningJson;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.manifest.VerdictJson;
import io.lightmill.udfs.shard.StagedImages;
import org.apache.spark.sql.Row;

/**
 * Outcomes of planned rows that are not drawn: the plan refuses them, or an earlier run has their
 * outcome.
 *
 * @param finisher stores images that an earlier run has staged
 */
record UndrawnOutcomes(ImageFinisher finisher) {

  Outcome of(Row planned) {
    String refused = ManifestColumns.ERROR_CODE.of(planned);
    if (refused != null) { // also where an earlier run has drawn the image, under another policy
      return Outcome.refused(refused, ManifestColumns.ERROR_MESSAGE.of(planned));
    }
    Row earlier = planned.getAs(EarlierImages.EARLIER);
    DrawingFacts facts = // verdicts of rules are given anew by each run
        DrawingFacts.ofVerdicts(
                VerdictJson.read(ManifestColumns.VERDICTS.of(earlier)).stream()
                    .filter(
                        verdict ->
                            verdict.score().isPresent()
                                || verdict.stage() == Verdict.Stage.PROVIDER)
                    .toList())
            .with(ScreeningJson.read(ManifestColumns.SCORES.of(earlier)));
    return switch (ImageStatus.labelled(ManifestColumns.STATUS.of(earlier))) {
      case UNCERTAIN ->
          Outcome.uncertainBefore(
              ManifestColumns.ERROR_CODE.of(earlier), ManifestColumns.ERROR_MESSAGE.of(earlier));
      case FAILED ->
          Outcome.failedBefore(
              ManifestColumns.ERROR_CODE.of(earlier), ManifestColumns.ERROR_MESSAGE.of(earlier));
      case BLOCKED -> Outcome.blocked(null, facts, null);
      default -> reused(planned, StoredImage.read(earlier)).with(facts);
    };
  }

  private Outcome reused(Row planned, StoredImage image) {
    return StagedImages.include(image.path())
        ? finisher.taken(planned, image)
        : Outcome.reused(image);
  }
}
