package io.lightmill.udfs.manifest;

import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.Screening;
import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.column.RequestColumns;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/** How the values of {@link ManifestColumns} follow from a row. */
final class ManifestValues {

  private ManifestValues() {}

  /** A value of the stored image; null without one. */
  static Function<ManifestRow, Object> ofStored(Function<StoredImage, Object> value) {
    return row -> row.outcome().image() == null ? null : value.apply(row.outcome().image());
  }

  /** A value of what classifiers and scorer found; null without them. */
  static Function<ManifestRow, Object> ofScreened(Function<Screening, Object> value) {
    return row -> row.outcome().facts().screening().map(value).orElse(null);
  }

  /** See {@link ManifestColumns#SEED_USED}. */
  static Object seedUsed(ManifestRow row) {
    Optional<Screening> screening = row.outcome().facts().screening();
    if (screening.isPresent()) {
      return screening.get().seed().orElse(null);
    }
    boolean first = row.task().model().checks().isEmpty();
    boolean known = first && !row.task().model().hosted();
    return known && row.outcome().image() != null ? ManifestColumns.SEED.of(row.planned()) : null;
  }

  /** A value of the verdict that decides; null without one. */
  static Function<ManifestRow, Object> ofVerdict(Function<Verdict, Object> value) {
    return row -> row.verdict().map(value).orElse(null);
  }

  /** See {@link ManifestColumns#POLICY_DIGEST}. */
  static Object policyDigest(ManifestRow row) {
    return row.verdict().map(Verdict::policy).orElseGet(() -> row.planned().getAs("policy_digest"));
  }

  /** See {@link ManifestColumns#LORA_DIGESTS}. */
  static String loraDigests(ManifestRow row) {
    Row planned = row.planned();
    LoraBlend lora = RequestColumns.LORA.fromSpark(planned);
    return lora.isEmpty() || planned.getAs(ManifestColumns.IMAGE_ID.name()) == null
        ? null
        : lora.weights().keySet().stream()
            .map(row.task().model().adapters()::get)
            .collect(Collectors.joining("+"));
  }
}
