package io.lightmill.udfs.draw;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Row;

/** Draws chunks of rows of {@link PlannedImages} on one device and stores nothing. */
record UnstoredRows(UnstoredDrawing.OnDevice device) implements Chunks.Sizes {

  /** Takes the result of one row. */
  @FunctionalInterface
  interface Results {

    /**
     * @param image the file; null without one
     */
    void add(Row planned, Outcome outcome, byte[] image);
  }

  @Override
  public int batch(String batchKey, int ahead) {
    return device.drawing().batchSize(batchKey, ahead);
  }

  @Override
  public int chunk(Row first) {
    return device.batching().chunk(first);
  }

  /**
   * Draws a chunk of {@link Chunks}.
   *
   * @param results gets each row once
   */
  void draw(List<List<Row>> chunk, Results results) {
    if (chunk.get(0).get(0).getAs(PlannedImages.BATCH_KEY) == null) {
      chunk.forEach(batch -> batch.forEach(row -> results.add(row, undrawn(row), null)));
      return;
    }
    Iterator<List<UnstoredDrawing.Encoded>> drawn =
        device.draw(chunk.stream().map(UnstoredRows::requests).toList()).iterator();
    for (List<Row> batch : chunk) {
      Iterator<UnstoredDrawing.Encoded> images = drawn.next().iterator();
      for (Row row : batch) {
        UnstoredDrawing.Encoded image = images.next();
        results.add(row, outcome(image), image.bytes());
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
}
