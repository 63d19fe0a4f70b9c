package io.lightmill.udfs.draw;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.sql.Row;

/**
 * The manifest rows of a chunk whose images are being encoded and stored.
 *
 * @param known rows of images that need neither
 * @param images the rows of each other image
 */
record FinishingRows(List<Row> known, List<Future<List<Row>>> images)
    implements OverlappedBatches.Finishing {

  @Override
  public boolean isDone() {
    return images.stream().allMatch(Future::isDone);
  }

  @Override
  public List<Row> rows() throws InterruptedException {
    List<Row> rows = new ArrayList<>(known);
    for (Future<List<Row>> image : images) {
      try {
        rows.addAll(image.get());
      } catch (ExecutionException e) { // the store does not respond, or a defect: others are rows
        throw ExceptionUtils.<RuntimeException>rethrow(e.getCause());
      }
    }
    return rows;
  }
}
