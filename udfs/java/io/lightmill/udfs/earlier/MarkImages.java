package io.lightmill.udfs.earlier;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.hosted.SentRequests;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ScreeningJson;
import io.lightmill.udfs.manifest.VerdictJson;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.SharedConfiguration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Gives images the copies of them that exist: neighbouring rows have first the copies of an image,
 * then the rows that request it.
 *
 * @param planned schema of the images
 * @param retryFailed whether images that failed are tried again
 * @param imagePolicies see {@link Rerun}
 * @param hosted see {@link Rerun}; null for a checkpoint
 */
record MarkImages(
    String output,
    SharedConfiguration hadoop,
    StructType planned,
    boolean retryFailed,
    Set<String> imagePolicies,
    Rerun.Hosted hosted)
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

  /** The copy that a row of a manifest names. */
  static Row reused(Row row) {
    return copy(false, column -> row.getAs(column.name()));
  }

  /** A copy that no manifest names. */
  static Row found(ReadReceipts.Identified object) {
    Map<ManifestColumn, Object> known = new HashMap<>();
    known.put(ManifestColumns.PATH, object.image().path());
    known.put(ManifestColumns.BYTES, object.image().bytes());
    known.put(ManifestColumns.SHA256, object.image().sha256());
    known.put(ManifestColumns.VERDICTS, VerdictJson.of(object.facts().verdicts()));
    known.put(
        ManifestColumns.SCORES, object.facts().screening().map(ScreeningJson::of).orElse(null));
    return copy(false, known::get);
  }

  /** A row of {@link StoredCopies#TYPE}. */
  static Row unread(String imageId, String path) {
    return RowFactory.create(imageId, copy(true, Map.of(ManifestColumns.PATH, (Object) path)::get));
  }

  /** A row of {@link StoredCopies#TYPE} for a request of a run that was killed. */
  static Row unanswered(SentRequests.Open request) {
    Map<ManifestColumn, Object> known =
        Map.of(
            ManifestColumns.STATUS,
            ImageStatus.UNCERTAIN.label(),
            ManifestColumns.ERROR_CODE,
            ErrorCode.PROVIDER_ANSWER_LOST.name(),
            ManifestColumns.ERROR_MESSAGE,
            "an earlier run was killed after it sent the request at %s, and the image may have been paid; --retry-uncertain sends the request again"
                .formatted(request.modified()));
    List<Object> copy = new ArrayList<>();
    EarlierImages.COLUMNS.forEach(column -> copy.add(known.get(column)));
    copy.add(ChronoUnit.MICROS.between(Instant.EPOCH, request.modified()));
    copy.add(false);
    return RowFactory.create(
        request.imageId(), new GenericRowWithSchema(copy.toArray(), COPY_TYPE));
  }

  private static Row copy(boolean unread, Function<ManifestColumn, Object> values) {
    List<Object> copy = new ArrayList<>();
    for (ManifestColumn column : EarlierImages.COLUMNS) {
      if (column.equals(ManifestColumns.STATUS)) {
        copy.add(ImageStatus.REUSED.label());
      } else {
        boolean error =
            column.equals(ManifestColumns.ERROR_CODE)
                || column.equals(ManifestColumns.ERROR_MESSAGE);
        copy.add(error ? null : values.apply(column));
      }
    }
    copy.add(null); // it is stored now
    copy.add(unread);
    return new GenericRowWithSchema(copy.toArray(), COPY_TYPE);
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
            .ifPresent(it -> copies.stored.add(found(it)));
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

  private Optional<Row> earlier(String key, Copies copies) {
    return copies.stored.stream()
        .filter(copy -> ManifestColumns.PATH.of(copy).equals(key))
        .findFirst()
        .or(() -> copies.stored.stream().findFirst())
        .or(() -> Optional.ofNullable(copies.last).filter(this::isSettled));
  }

  /** Whether an image that is not stored is not tried again. */
  private boolean isSettled(Row last) {
    String status = ManifestColumns.STATUS.of(last);
    boolean ofProvider =
        Verdict.Stage.PROVIDER.label().equals(ManifestColumns.VERDICT_STAGE.of(last));
    return (ImageStatus.FAILED.label().equals(status) && !retryFailed)
        || (hosted != null
            && !hosted.retryUncertain()
            && ImageStatus.UNCERTAIN.label().equals(status))
        || (hosted != null
            && !hosted.retryBlocked()
            && ofProvider
            && ImageStatus.BLOCKED.label().equals(status))
        || (ImageStatus.BLOCKED.label().equals(status)
            && Verdict.Stage.IMAGE.label().equals(ManifestColumns.VERDICT_STAGE.of(last))
            && imagePolicies.contains(ManifestColumns.POLICY_DIGEST.<String>of(last)));
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
