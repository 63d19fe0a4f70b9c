package io.lightmill.udfs.earlier;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.rows.MappedPartitions;
import io.lightmill.udfs.table.RowDigests;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Counts the images of the newest manifest that the plan takes over.
 *
 * @param left digests of the rows that it does not take over
 * @param ids of the other rows of the table
 */
record SettledRows(
    Broadcast<Set<UTF8String>> left,
    Broadcast<Set<UTF8String>> ids,
    ClassifierFreeGuidance guidance)
    implements FlatMapFunction<Iterator<InternalRow>, SettledRows.Counts> {

  private static final String[] COLUMNS = {
    ManifestColumns.ROW_DIGEST.name(),
    ManifestColumns.ID.name(),
    RequestColumns.NEGATIVE_PROMPT.name(),
    RequestColumns.GUIDANCE_SCALE.name(),
    RequestColumns.TRUE_CFG_SCALE.name()
  };

  /**
   * What is counted.
   *
   * @param duplicates images whose id another row has
   * @param idle images whose negative prompt has no effect
   */
  record Counts(long images, long duplicates, long idle) implements Serializable {

    private Counts plus(Counts other) {
      return new Counts(images + other.images, duplicates + other.duplicates, idle + other.idle);
    }
  }

  Counts of(NewestImages newest) {
    Dataset<Row> rows = newest.columns(COLUMNS);
    return MappedPartitions.collected(
            MappedPartitions.of(
                ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd(), this),
            rows.sparkSession())
        .stream()
        .reduce(new Counts(0, 0, 0), Counts::plus);
  }

  @Override
  public Iterator<Counts> call(Iterator<InternalRow> rows) {
    Set<UTF8String> without = left.value();
    Set<UTF8String> again = ids.value();
    long images = 0;
    long duplicates = 0;
    long idle = 0;
    while (rows.hasNext()) {
      InternalRow row = rows.next();
      if (!row.isNullAt(0) && !without.contains(RowDigests.ofRow(row.getUTF8String(0)))) {
        images++;
        duplicates += again.contains(row.getUTF8String(1)) ? 1 : 0;
        idle += !row.isNullAt(2) && isIdle(row) ? 1 : 0;
      }
    }
    return List.of(new Counts(images, duplicates, idle)).iterator();
  }

  private boolean isIdle(InternalRow row) {
    return isIdle(row.getUTF8String(2).toString(), row.getDouble(3), row.getDouble(4), guidance);
  }

  /** Whether an image has a negative prompt without effect. */
  static boolean isIdle(
      String negativePrompt,
      double guidanceScale,
      double trueScale,
      ClassifierFreeGuidance guidance) {
    return PlannedImages.idleNegativePrompt(
        ImageRequest.builder("")
            .negativePrompt(negativePrompt)
            .guidanceScale(guidanceScale)
            .trueCfgScale(trueScale)
            .build(),
        guidance);
  }
}
