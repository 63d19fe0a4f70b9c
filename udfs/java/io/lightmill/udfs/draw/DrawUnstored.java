package io.lightmill.udfs.draw;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.TaskDevice;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ManifestRow;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import org.apache.commons.codec.digest.DigestUtils;
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

  private static final class Drawn implements Iterator<Row>, Chunks.Sizes {

    private final Chunks chunks;
    private final ManifestRows manifest;
    private final UnstoredDrawing.OnDevice drawing;
    private final Queue<Row> ready = new ArrayDeque<>();

    Drawn(Iterator<Row> planned, ManifestRows manifest, UnstoredDrawing.OnDevice drawing) {
      this.chunks = new Chunks(planned, this);
      this.manifest = manifest;
      this.drawing = drawing;
    }

    @Override
    public int batch(String batchKey, int ahead) {
      return drawing.drawing().batchSize(batchKey, ahead);
    }

    @Override
    public int chunk(Row first) {
      return drawing.batching().chunk(first);
    }

    @Override
    public boolean hasNext() {
      return !ready.isEmpty() || chunks.hasNext();
    }

    @Override
    public Row next() {
      if (ready.isEmpty()) {
        draw(chunks.next());
      }
      return ready.remove();
    }

    private void draw(List<List<Row>> chunk) {
      if (chunk.get(0).get(0).getAs(PlannedImages.BATCH_KEY) == null) {
        chunk.forEach(batch -> batch.forEach(row -> add(row, undrawn(row), null)));
        return;
      }
      Iterator<List<UnstoredDrawing.Encoded>> drawn =
          drawing.draw(chunk.stream().map(Drawn::requests).toList()).iterator();
      for (List<Row> batch : chunk) {
        Iterator<UnstoredDrawing.Encoded> images = drawn.next().iterator();
        for (Row row : batch) {
          UnstoredDrawing.Encoded image = images.next();
          add(row, outcome(image), image.bytes());
        }
      }
    }

    private static BatchDrawing.KeyedBatch requests(List<Row> batch) {
      return new BatchDrawing.KeyedBatch(
          batch.get(0).getAs(PlannedImages.BATCH_KEY),
          batch.stream().map(PlannedImages::request).toList());
    }

    private static Outcome undrawn(Row row) {
      return Outcome.refused(
          ManifestColumns.ERROR_CODE.of(row), ManifestColumns.ERROR_MESSAGE.of(row));
    }

    private static Outcome outcome(UnstoredDrawing.Encoded image) {
      LightmillException failure = image.failure();
      if (failure != null) {
        return Outcome.failed(failure, image.device()).with(image.facts().with(List.of()));
      }
      if (image.facts().isBlocked()) {
        return Outcome.blocked(null, image.facts(), image.device());
      }
      StoredImage unplaced =
          StoredImage.object(
              null, image.bytes().length, DigestUtils.sha256Hex(image.bytes()), image.blank());
      return Outcome.generated(unplaced, image.facts(), image.device(), image.encodeMillis(), 0);
    }

    private void add(Row row, Outcome outcome, byte[] image) {
      Row filled = manifest.row(row, outcome);
      Object[] values = new Object[filled.length() + 1];
      Arrays.setAll(values, i -> i < filled.length() ? filled.get(i) : image);
      ready.add(RowFactory.create(values));
    }
  }
}
