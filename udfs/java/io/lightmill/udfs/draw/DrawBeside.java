package io.lightmill.udfs.draw;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.TaskDevice;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.plan.PlanImages;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.table.RequestRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The function that draws one image for each row and adds it to the row: rows of {@link
 * RequestRows#beside} in, rows of {@link #schema} out, in the same order. It reads as many rows
 * ahead as are drawn together.
 *
 * @param planned schema of the plan of a row
 * @param failing whether a row without an image fails the query
 */
public record DrawBeside(
    PlanImages planning, StructType planned, UnstoredDrawing drawing, boolean failing)
    implements MapPartitionsFunction<Row, Row> {

  /** The column of the result, which takes the place of the request. */
  public static final String RESULT = "lightmill_result";

  /** The field of the image file; null in rows without an image. */
  public static final String IMAGE = DrawUnstored.IMAGE;

  /** Rows that are read ahead where the device finds out how many images it draws at once. */
  private static final int MEASURED_AHEAD = 64;

  private static final StructType FIELDS =
      ManifestColumn.schema(
              ManifestColumns.IMAGE_ID,
              ManifestColumns.STATUS,
              ManifestColumns.ERROR_CODE,
              ManifestColumns.ERROR_MESSAGE)
          .add(IMAGE, DataTypes.BinaryType);

  /**
   * The rows with their results.
   *
   * @param beside of {@link RequestRows#beside}
   */
  public static StructType schema(StructType beside) {
    StructType schema = new StructType();
    for (int i = 0; i < beside.length() - 1; i++) {
      schema = schema.add(beside.fields()[i]);
    }
    return schema.add(RESULT, FIELDS);
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    Device device = TaskDevice.of(drawing.cluster(), TaskContext.get());
    UnstoredRows drawn = new UnstoredRows(drawing.on(LoadedPipelines.slot(device)));
    return new LazyIteratorChain<>() {
      @Override
      protected Iterator<Row> nextIterator(int count) {
        List<Row> window = new ArrayList<>();
        while (window.size() < ahead() && rows.hasNext()) {
          window.add(rows.next());
        }
        return window.isEmpty() ? null : drawn(window, drawn).iterator();
      }
    };
  }

  private int ahead() {
    Batching batching = drawing.batching();
    return batching.batchSize() == Batching.MEASURED
        ? MEASURED_AHEAD
        : Math.max(batching.batchSize(), batching.chunk());
  }

  private List<Row> drawn(List<Row> rows, UnstoredRows drawing) {
    List<Row> plans = rows.stream().map(row -> plan(row.getStruct(row.length() - 1))).toList();
    IdentityHashMap<Row, Row> results = new IdentityHashMap<>();
    Chunks chunks = new Chunks(batched(plans), drawing);
    while (chunks.hasNext()) {
      drawing.draw(
          chunks.next(), (plan, outcome, image) -> results.put(plan, result(plan, outcome, image)));
    }
    List<Row> drawn = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      Object[] values = new Object[row.length()];
      Arrays.setAll(values, row::get);
      values[values.length - 1] = results.get(plans.get(i));
      drawn.add(RowFactory.create(values));
    }
    return drawn;
  }

  /** Sorted so that the rows of one batch are neighbours. */
  private static Iterator<Row> batched(List<Row> plans) {
    Comparator<String> nullsFirst = Comparator.nullsFirst(Comparator.naturalOrder());
    return plans.stream()
        .sorted(
            Comparator.comparing(
                    (Row plan) -> plan.<String>getAs(PlannedImages.BATCH_KEY), nullsFirst)
                .thenComparing(ManifestColumns.IMAGE_ID::of, nullsFirst))
        .iterator();
  }

  private Row plan(Row request) {
    Iterator<Row> images = planning.call(request);
    Row first = PlannedImages.named(images.next(), planned);
    if (!images.hasNext() || ManifestColumns.ERROR_CODE.of(first) != null) {
      return first;
    }
    Object[] values = new Object[first.length()];
    Arrays.setAll(values, first::get);
    values[planned.fieldIndex(ManifestColumns.IMAGE_ID.name())] = null;
    values[planned.fieldIndex(PlannedImages.BATCH_KEY)] = null;
    values[planned.fieldIndex(ManifestColumns.ERROR_CODE.name())] = ErrorCode.VALUE_INVALID.name();
    values[planned.fieldIndex(ManifestColumns.ERROR_MESSAGE.name())] =
        "row id=%s: num_images_per_prompt is not 1, but one image is drawn for each row; repeat the row, or write the table to format lightmill"
            .formatted(ManifestColumns.ID.<String>of(first));
    return PlannedImages.named(RowFactory.create(values), planned);
  }

  private Row result(Row plan, Outcome outcome, byte[] image) {
    if (failing && image == null) {
      throw new LightmillException(
          Optional.ofNullable(outcome.errorCode())
              .map(ErrorCode::valueOf)
              .orElse(ErrorCode.GENERATION_FAILED),
          outcome.errorMessage());
    }
    return RowFactory.create(
        ManifestColumns.IMAGE_ID.of(plan),
        outcome.status().label(),
        outcome.errorCode(),
        outcome.errorMessage(),
        image);
  }
}
