package io.lightmill.udfs.draw;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.ImagePlan;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.apache.spark.sql.Row;

/**
 * Neighbouring rows with the same batch key, as lists of at most {@code batchSize} distinct images.
 * A row without a batch key, which is not drawn, is a list of its own.
 */
final class Batches implements Iterator<List<Row>> {

  private final Iterator<Row> rows;
  private final int batchSize;
  private Row head;

  /**
   * @param rows as {@link ImagePlan#partitioned} sorts them
   */
  Batches(Iterator<Row> rows, int batchSize) {
    this.rows = rows;
    this.batchSize = batchSize;
    this.head = advanced();
  }

  @Override
  public boolean hasNext() {
    return head != null;
  }

  @Override
  public List<Row> next() {
    if (head == null) {
      throw new NoSuchElementException();
    }
    List<Row> batch = new ArrayList<>();
    String key = batchKey(head);
    int images = 0;
    String image = null;
    do {
      images += Objects.equals(imageId(head), image) ? 0 : 1;
      image = imageId(head);
      batch.add(head);
      head = advanced();
    } while (head != null
        && key != null
        && key.equals(batchKey(head))
        && (images < batchSize || image.equals(imageId(head))));
    return batch;
  }

  private Row advanced() {
    return rows.hasNext() ? rows.next() : null;
  }

  private static String batchKey(Row row) {
    return row.getAs(PlannedImages.BATCH_KEY);
  }

  private static String imageId(Row row) {
    return row.getAs(ManifestColumns.IMAGE_ID.name());
  }
}
