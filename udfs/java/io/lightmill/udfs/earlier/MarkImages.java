package io.lightmill.udfs.earlier;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.store.ImageStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import io.lightmill.udfs.store.SharedConfiguration;

/**
 * Gives images the copies of them that exist: neighbouring rows have first the copies of an image,
 * then the rows that request it.
 *
 * @param planned schema of the images
 */
record MarkImages(String output, SharedConfiguration hadoop, StructType planned)
    implements MapPartitionsFunction<Row, Row> {

  /** The image id; of a row without one, its id, so that such rows are spread. */
  static final String GROUP = "group";

  /** Struct of a copy; null in rows of images. */
  static final String COPY = "copy";

  /** Struct of a row of the plan; null in rows of copies. */
  static final String IMAGE = "image";

  /** When a manifest said so, in microseconds; null for what is stored now. */
  static final String AGE = "age";

  /** Whether the object is to be read before it is known to be a copy. */
  static final String UNREAD = "unread";

  static final StructType COPY_TYPE =
      EarlierImages.TYPE.add(AGE, DataTypes.LongType).add(UNREAD, DataTypes.BooleanType);

  /** The first copy by path, and by member in a shard, is taken. */
  private static final Comparator<Row> ORDER =
      Comparator.comparing((Row copy) -> ManifestColumns.PATH.<String>of(copy))
          .thenComparing(
              copy -> ManifestColumns.MEMBER.<String>of(copy),
              Comparator.nullsFirst(Comparator.naturalOrder()));

  /** What is known of one image. */
  private static final class Copies {

    private final List<Row> stored = new ArrayList<>();
    private final List<String> unread = new ArrayList<>();
    private Row last;

    void add(Row copy) {
      Long age = copy.getAs(AGE);
      if (age != null) {
        last = last == null || last.<Long>getAs(AGE) < age ? copy : last;
      } else if (copy.<Boolean>getAs(UNREAD)) {
        unread.add(ManifestColumns.PATH.of(copy));
      } else {
        stored.add(copy);
      }
    }
  }

  static Row copy(StoredImage image, ImageStatus status) {
    return RowFactory.create(
        image.path(),
        image.member(),
        image.memberOffset(),
        image.shardBytes(),
        image.bytes(),
        image.sha256(),
        image.blank(),
        status.label(),
        null,
        null,
        null,
        false);
  }

  /** A row of {@link StoredCopies#TYPE}. */
  static Row unread(String imageId, String path) {
    return RowFactory.create(
        imageId,
        RowFactory.create(
            path, null, null, null, null, null, null, null, null, null, null, true));
  }

  @Override
  public Iterator<Row> call(Iterator<Row> sorted) {
    ReadReceipts receipts = new ReadReceipts(ImageStore.open(output, hadoop.value()));
    PeekingIterator<Row> rows = PeekingIterator.peekingIterator(sorted);
    return new LazyIteratorChain<>() {
      @Override
      protected Iterator<Row> nextIterator(int count) {
        return rows.hasNext() ? group(rows, receipts) : null;
      }
    };
  }

  /** The images of the next group, one at a time: a table may request an image many times. */
  private Iterator<Row> group(PeekingIterator<Row> rows, ReadReceipts receipts) {
    String group = rows.peek().getAs(GROUP);
    Copies copies = new Copies();
    while (isOf(group, rows) && rows.peek().getAs(IMAGE) == null) {
      copies.add(rows.next().getAs(COPY));
    }
    if (isOf(group, rows) && copies.stored.isEmpty()) {
      for (String path : copies.unread) {
        receipts
            .read(path)
            .filter(it -> it.imageId().equals(group))
            .ifPresent(it -> copies.stored.add(stored(it.image())));
      }
    }
    copies.stored.sort(ORDER);
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return isOf(group, rows);
      }

      @Override
      public Row next() {
        return marked(rows.next().getAs(IMAGE), copies);
      }
    };
  }

  private static boolean isOf(String group, PeekingIterator<Row> rows) {
    return rows.hasNext() && group.equals(rows.peek().getAs(GROUP));
  }

  private static Row stored(StoredImage image) {
    return new GenericRowWithSchema(values(copy(image, ImageStatus.REUSED)), COPY_TYPE);
  }

  private static Object[] values(Row row) {
    Object[] values = new Object[row.length()];
    Arrays.setAll(values, row::get);
    return values;
  }

  private Row marked(Row image, Copies copies) {
    Optional<Row> earlier =
        image.getAs(ManifestColumns.IMAGE_ID.name()) == null
            ? Optional.empty()
            : earlier(image.getAs(PlannedImages.KEY), copies);
    Object[] values = new Object[planned.length() + 1];
    for (int i = 0; i < planned.length(); i++) {
      values[i] = image.get(i);
    }
    if (earlier.isPresent()) {
      values[planned.fieldIndex(PlannedImages.BATCH_KEY)] = null;
      values[planned.fieldIndex(PlannedImages.COST)] = null;
      values[planned.length()] = typed(earlier.get());
    }
    return RowFactory.create(values);
  }

  private static Optional<Row> earlier(String key, Copies copies) {
    return copies.stored.stream()
        .filter(copy -> ManifestColumns.PATH.of(copy).equals(key))
        .findFirst()
        .or(() -> copies.stored.stream().findFirst())
        .or(
            () ->
                Optional.ofNullable(copies.last)
                    .filter(
                        last ->
                            ImageStatus.FAILED.label().equals(ManifestColumns.STATUS.of(last))));
  }

  /** A copy without what is said beyond {@link EarlierImages#TYPE}. */
  private static Row typed(Row copy) {
    Object[] values = new Object[EarlierImages.TYPE.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = copy.get(i);
    }
    return RowFactory.create(values);
  }
}
