package io.lightmill.udfs.manifest;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.VerdictCounts;
import io.lightmill.udfs.rows.MappedPartitions;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.StructType;

/**
 * What is counted over some of the rows of a run. Plain code, since planning a query with so many
 * aggregates takes longer than the rows of most tables.
 */
final class RowCounts implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final double MILLIS_PER_SECOND = 1000;

  private static final List<ManifestColumn> DEVICE_TIMES =
      List.of(
          ManifestColumns.GENERATE_MS,
          ManifestColumns.ENCODE_PROMPT_MS,
          ManifestColumns.DENOISE_MS,
          ManifestColumns.DECODE_MS);

  /** A verdict with its stage and category. */
  private record Kind(String verdict, String stage, String category) implements Serializable {}

  private final NumberValues numbers;
  private final Map<String, Long> statuses = new HashMap<>();
  private final Map<Kind, Long> verdicts = new HashMap<>();
  private final double[] deviceMillis = new double[DEVICE_TIMES.size()];
  private long blank;
  private long transformerCalls;

  private RowCounts(StructType passthrough) {
    numbers = new NumberValues(passthrough);
  }

  /**
   * Counts all rows in one Spark job.
   *
   * @param rows of {@link Manifest#schemaInFlight}
   */
  static RowCounts of(Dataset<Row> rows, StructType passthrough) {
    RowCounts all = new RowCounts(passthrough);
    MappedPartitions.collected(
            MappedPartitions.of(
                ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd(),
                new Counting(rows.schema(), passthrough)),
            rows.sparkSession())
        .forEach(all::add);
    return all;
  }

  private record Counting(StructType schema, StructType passthrough)
      implements FlatMapFunction<Iterator<InternalRow>, RowCounts> {

    @Override
    public Iterator<RowCounts> call(Iterator<InternalRow> rows) {
      RowCounts counts = new RowCounts(passthrough);
      int[] times = DEVICE_TIMES.stream().mapToInt(this::index).toArray();
      int status = index(ManifestColumns.STATUS);
      int blank = index(ManifestColumns.BLANK);
      int calls = index(ManifestColumns.TRANSFORMER_CALLS);
      int verdict = index(ManifestColumns.VERDICT);
      int stage = index(ManifestColumns.VERDICT_STAGE);
      int category = index(ManifestColumns.VERDICT_CATEGORY);
      while (rows.hasNext()) {
        InternalRow row = rows.next();
        counts.numbers.add(row);
        counts.statuses.merge(text(row, status), 1L, Long::sum);
        counts.blank += !row.isNullAt(blank) && row.getBoolean(blank) ? 1 : 0;
        counts.transformerCalls += row.isNullAt(calls) ? 0 : row.getInt(calls);
        if (!row.isNullAt(verdict)) {
          Kind kind = new Kind(text(row, verdict), text(row, stage), text(row, category));
          counts.verdicts.merge(kind, 1L, Long::sum);
        }
        for (int i = 0; i < times.length; i++) {
          counts.deviceMillis[i] += row.isNullAt(times[i]) ? 0 : row.getDouble(times[i]);
        }
      }
      return List.of(counts).iterator();
    }

    private int index(ManifestColumn column) {
      return schema.fieldIndex(column.name());
    }

    private static String text(InternalRow row, int index) {
      return row.isNullAt(index) ? null : row.getUTF8String(index).toString();
    }
  }

  private void add(RowCounts other) {
    numbers.add(other.numbers);
    other.statuses.forEach((status, rows) -> statuses.merge(status, rows, Long::sum));
    other.verdicts.forEach((kind, rows) -> verdicts.merge(kind, rows, Long::sum));
    for (int i = 0; i < deviceMillis.length; i++) {
      deviceMillis[i] += other.deviceMillis[i];
    }
    blank += other.blank;
    transformerCalls += other.transformerCalls;
  }

  /** The values of passthrough columns. */
  NumberValues numbers() {
    return numbers;
  }

  Manifest.Totals totals() {
    Map<ImageStatus, Long> byStatus = new EnumMap<>(ImageStatus.class);
    for (ImageStatus status : ImageStatus.values()) {
      if (statuses.containsKey(status.label())) {
        byStatus.put(status, statuses.get(status.label()));
      }
    }
    return new Manifest.Totals(
        byStatus,
        blank,
        verdictCounts(),
        transformerCalls,
        new Manifest.DeviceSeconds(seconds(0), seconds(1), seconds(2), seconds(3)));
  }

  private VerdictCounts verdictCounts() {
    return new VerdictCounts(
        verdicts.entrySet().stream()
            .map(
                each ->
                    new VerdictCounts.Count(
                        each.getKey().verdict(),
                        each.getKey().stage(),
                        each.getKey().category(),
                        each.getValue()))
            .toList());
  }

  private double seconds(int time) {
    return deviceMillis[time] / MILLIS_PER_SECOND;
  }
}
