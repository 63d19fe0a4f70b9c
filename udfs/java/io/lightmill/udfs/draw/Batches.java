package io.lightmill.udfs.draw;

import io.lightmill.udfs.plan.ImagePlan;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.apache.spark.sql.Row;

/** Neighbouring rows of one batch, as one list. A row without a batch is a list of its own. */
final class Batches implements Iterator<List<Row>> {

  private final Iterator<Row> rows;
  private Row head;

  /**
   * @param rows as {@link ImagePlan#partitioned} sorts them
   */
  Batches(Iterator<Row> rows) {
    this.rows = rows;
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
    Long number = number(head);
    do {
      batch.add(head);
      head = advanced();
    } while (head != null && number != null && Objects.equals(number, number(head)));
    return batch;
  }

  private Row advanced() {
    return rows.hasNext() ? rows.next() : null;
  }

  private static Long number(Row row) {
    return row.getAs(ImagePlan.BATCH);
  }
}
