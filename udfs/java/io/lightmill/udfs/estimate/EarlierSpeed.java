package io.lightmill.udfs.estimate;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.history.CommittedManifest;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.ImageWork;
import io.lightmill.udfs.store.ImageStore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** The times of images that the newest runs over an output drew, by their manifests. */
public final class EarlierSpeed {

  private static final int MOST_MANIFESTS = 10;

  /** The newest so many images are taken. */
  private static final int MOST_IMAGES = 2000;

  private static final ManifestColumn[] TIMES = {
    ManifestColumns.GENERATE_MS,
    ManifestColumns.ENCODE_PROMPT_MS,
    ManifestColumns.DENOISE_MS,
    ManifestColumns.DECODE_MS,
    ManifestColumns.TRANSFORMER_CALLS,
    ManifestColumns.BYTES
  };

  private static final StructType READ =
      ManifestColumn.schema(
          Stream.of(
                  RequestColumns.ALL.stream()
                      .filter(column -> column.inRequest())
                      .map(
                          column ->
                              ManifestColumns.ALL.stream()
                                  .filter(each -> each.name().equals(column.name()))
                                  .findFirst()
                                  .orElseThrow()),
                  Stream.of(TIMES),
                  Stream.of(
                      ManifestColumns.STATUS,
                      ManifestColumns.MODEL_DIGEST,
                      ManifestColumns.DTYPE,
                      ManifestColumns.DEVICE,
                      ManifestColumns.CREATED_AT))
              .flatMap(each -> each)
              .toArray(ManifestColumn[]::new));

  private EarlierSpeed() {}

  /**
   * Images of this model on this kind of device; none if the output has no manifests.
   *
   * @param guidance of the checkpoint
   * @param cuda whether GPUs draw
   */
  public static List<Measurement> of(
      SparkSession spark,
      String output,
      Model model,
      ClassifierFreeGuidance guidance,
      boolean cuda) {
    ImageStore store = ImageStore.open(output, spark.sparkContext().hadoopConfiguration());
    List<String> manifests =
        CommittedManifest.of(store.listing().objects(Manifest.DIRECTORY)).stream()
            .sorted(Comparator.comparing(CommittedManifest::modified).reversed())
            .limit(MOST_MANIFESTS)
            .map(CommittedManifest::key)
            .toList();
    if (manifests.isEmpty()) {
      return List.of();
    }
    Column timed =
        Stream.of(TIMES)
            .filter(
                each ->
                    !each.equals(ManifestColumns.TRANSFORMER_CALLS)) // not all families count them
            .map(each -> each.col().isNotNull())
            .reduce(Column::and)
            .orElseThrow();
    List<Row> rows =
        spark
            .read()
            .schema(READ)
            .parquet(manifests.stream().map(key -> output + "/" + key).toArray(String[]::new))
            .filter(ManifestColumns.STATUS.col().equalTo(ImageStatus.GENERATED.label()))
            .filter(ManifestColumns.MODEL_DIGEST.col().equalTo(model.digest()))
            .filter(ManifestColumns.DTYPE.col().equalTo(model.dtype()))
            .filter(ManifestColumns.DEVICE.col().startsWith(cuda ? "cuda" : "cpu"))
            .filter(timed)
            .filter(ManifestColumns.GENERATE_MS.col().gt(0)) // not drawn for another row
            .orderBy(ManifestColumns.CREATED_AT.col().desc())
            .limit(MOST_IMAGES)
            .collectAsList();
    List<Measurement> measured = new ArrayList<>();
    for (Row row : rows) {
      measured.add(Measurement.of(ImageWork.of(RequestColumns.request(row), guidance), row));
    }
    return measured;
  }
}
