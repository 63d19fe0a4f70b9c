package io.lightmill.udfs.draw;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
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
 * are needed, and holds one batch.
 *
 * @param batchSize maximum number of images in a batch
 */
public record DrawUnstored(UnstoredDrawing drawing, int batchSize)
    implements MapPartitionsFunction<Row, Row> {

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
    return new Drawn(planned, manifest, drawing.on(LoadedPipelines.slot(device)), batchSize);
  }

  private static final class Drawn implements Iterator<Row> {

    private final Iterator<Row> planned;
    private final ManifestRows manifest;
    private final UnstoredDrawing.OnDevice drawing;
    private final int batchSize;
    private final Queue<Row> ready = new ArrayDeque<>();
    private Row ahead;

    Drawn(
        Iterator<Row> planned,
        ManifestRows manifest,
        UnstoredDrawing.OnDevice drawing,
        int batchSize) {
      this.planned = planned;
      this.manifest = manifest;
      this.drawing = drawing;
      this.batchSize = batchSize;
    }

    @Override
    public boolean hasNext() {
      return !ready.isEmpty() || ahead != null || planned.hasNext();
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      if (ready.isEmpty()) {
        draw(batch());
      }
      return ready.remove();
    }

    private List<Row> batch() {
      List<Row> batch = new ArrayList<>();
      batch.add(ahead == null ? planned.next() : ahead);
      ahead = null;
      String key = batch.get(0).getAs(PlannedImages.BATCH_KEY);
      while (batch.size() < batchSize && planned.hasNext()) {
        ahead = planned.next();
        if (!Objects.equals(key, ahead.getAs(PlannedImages.BATCH_KEY))) {
          break;
        }
        batch.add(ahead);
        ahead = null;
      }
      return batch;
    }

    private void draw(List<Row> batch) {
      if (batch.get(0).getAs(PlannedImages.BATCH_KEY) == null) {
        batch.forEach(
            row ->
                add(
                    row,
                    Outcome.refused(
                        ManifestColumns.ERROR_CODE.of(row), ManifestColumns.ERROR_MESSAGE.of(row)),
                    null));
        return;
      }
      List<ImageRequest> requests = batch.stream().map(PlannedImages::request).toList();
      Iterator<UnstoredDrawing.Encoded> images = drawing.draw(requests).iterator();
      for (Row row : batch) {
        UnstoredDrawing.Encoded image = images.next();
        add(row, outcome(image), image.bytes());
      }
    }

    private static Outcome outcome(UnstoredDrawing.Encoded image) {
      LightmillException failure = image.failure();
      if (failure != null) {
        return Outcome.failed(failure, image.generateMillis()).with(image.facts());
      }
      if (image.facts().isBlocked()) {
        return Outcome.blocked(null, image.facts(), image.generateMillis());
      }
      StoredImage unplaced =
          StoredImage.object(
              null, image.bytes().length, DigestUtils.sha256Hex(image.bytes()), image.blank());
      return Outcome.generated(
          unplaced, image.facts(), image.generateMillis(), image.encodeMillis(), 0);
    }

    private void add(Row row, Outcome outcome, byte[] image) {
      Row filled = manifest.row(row, outcome);
      Object[] values = new Object[filled.length() + 1];
      Arrays.setAll(values, i -> i < filled.length() ? filled.get(i) : image);
      ready.add(RowFactory.create(values));
    }
  }
}
