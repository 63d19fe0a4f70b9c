package io.lightmill.udfs.draw;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.ImagePlan;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.apache.spark.sql.Row;

/**
 * Neighbouring rows as batches, and batches as chunks. The rows of a batch have one batch key,
 * those of a chunk the same adapters. A row without a batch key, which is not drawn, is a chunk of
 * its own. Rows of the same image are in one batch and count once.
 */
final class Chunks implements Iterator<List<List<Row>>> {

  /** How many images are drawn together, decided when the rows before have been drawn. */
  interface Sizes {

    /**
     * Most images of a batch.
     *
     * @param batchKey of its rows
     * @param ahead batches of that key that the chunk has already
     */
    int batch(String batchKey, int ahead);

    /**
     * Most images of a chunk; {@link Batching#RESIDENT} for a single batch.
     *
     * @param first row of it
     */
    int chunk(Row first);
  }

  private final Iterator<Row> rows;
  private final Sizes sizes;
  private Row head;

  /**
   * @param rows as {@link ImagePlan#partitioned} sorts them
   */
  Chunks(Iterator<Row> rows, Sizes sizes) {
    this.rows = rows;
    this.sizes = sizes;
    this.head = advanced();
  }

  @Override
  public boolean hasNext() {
    return head != null;
  }

  @Override
  public List<List<Row>> next() {
    if (head == null) {
      throw new NoSuchElementException();
    }
    Row first = head;
    if (batchKey(first) == null) {
      head = advanced();
      return List.of(List.of(first));
    }
    int most = sizes.chunk(first);
    List<List<Row>> chunk = new ArrayList<>();
    Map<String, Integer> ahead = new HashMap<>();
    int left = most;
    do {
      String key = batchKey(head);
      int size = sizes.batch(key, ahead.merge(key, 1, Integer::sum) - 1);
      left -= addBatch(chunk, most == Batching.RESIDENT ? size : Math.min(size, left));
    } while (left > 0 && head != null && batchKey(head) != null && sameAdapters(first, head));
    return chunk;
  }

  /** Adds a batch of at most so many images and returns how many it has. */
  private int addBatch(List<List<Row>> chunk, int most) {
    List<Row> batch = new ArrayList<>();
    String key = batchKey(head);
    int images = 0;
    String image = null;
    do {
      images += imageId(head).equals(image) ? 0 : 1;
      image = imageId(head);
      batch.add(head);
      head = advanced();
    } while (head != null
        && key.equals(batchKey(head))
        && (images < most || image.equals(imageId(head))));
    chunk.add(batch);
    return images;
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

  private static boolean sameAdapters(Row one, Row other) {
    return Objects.equals(ManifestColumns.LORA.of(one), ManifestColumns.LORA.<String>of(other));
  }
}
