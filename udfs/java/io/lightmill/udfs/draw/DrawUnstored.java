package io.lightmill.udfs.draw;

import io.lightmill.pipeline.Device;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.TaskDevice;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestRow;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Queue;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The function that draws images into a column instead of an output: rows of {@link PlannedImages}
 * in, those of one batch key beside each other, and rows of {@link #schema} out. It draws as rows
 * are needed, and holds one chunk.
 */
public record DrawUnstored(UnstoredDrawing drawing) implements MapPartitionsFunction<Row, Row> {

  /** The column of the bytes; null in rows without an image. */
  public static final String IMAGE = "image";

  /** A manifest in flight, in which no image has a place, and the bytes. */
  public static StructType schema(StructType passthrough) {
    return Manifest.schemaInFlight(passthrough).add(IMAGE, DataTypes.BinaryType);
  }

  @Override
  public Iterator<Row> call(Iterator<Row> planned) {
    TaskContext task = TaskContext.get();
    Device device = TaskDevice.of(drawing.cluster(), task);
    ManifestRows manifest =
        new ManifestRows(
            new ManifestRow.Task(
                drawing.encoding().identity().model(),
                drawing.encoding().identity().format(),
                null,
                task.attemptNumber(),
                device));
    return new Drawn(planned, manifest, drawing.on(LoadedPipelines.slot(device)));
  }

  private static final class Drawn implements Iterator<Row> {

    private final UnstoredRows drawing;
    private final Chunks chunks;
    private final ManifestRows manifest;
    private final Queue<Row> ready = new ArrayDeque<>();

    Drawn(Iterator<Row> planned, ManifestRows manifest, UnstoredDrawing.OnDevice device) {
      this.drawing = new UnstoredRows(device);
      this.chunks = new Chunks(planned, drawing);
      this.manifest = manifest;
    }

    @Override
    public boolean hasNext() {
      return !ready.isEmpty() || chunks.hasNext();
    }

    @Override
    public Row next() {
      if (ready.isEmpty()) {
        drawing.draw(chunks.next(), this::add);
      }
      return ready.remove();
    }

    private void add(Row row, Outcome outcome, byte[] image) {
      Row filled = manifest.row(row, outcome);
      Object[] values = new Object[filled.length() + 1];
      Arrays.setAll(values, i -> i < filled.length() ? filled.get(i) : image);
      ready.add(RowFactory.create(values));
    }
  }
}
