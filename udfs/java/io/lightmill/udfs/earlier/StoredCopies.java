package io.lightmill.udfs.earlier;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.SharedConfiguration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The images that exist, from all that is known of each path, which neighbouring rows give: the
 * manifest rows that name it, the object that the store lists, and whether this run will store an
 * image there. An object that no manifest names is read, for its receipt, if this run would store
 * an image there; a staged one is left to {@link MarkImages}, which knows whether it is needed.
 *
 * @param force whether objects that no manifest names are ignored
 */
record StoredCopies(String output, SharedConfiguration hadoop, boolean force)
    implements MapPartitionsFunction<Row, Row> {

  /** Struct of a manifest row. */
  static final String ROW = "row";

  /** Struct of length and time of an object. */
  static final String OBJECT = "object";

  static final String REQUESTED = "requested";

  static final StructType OBJECT_TYPE =
      new StructType()
          .add(StoredObjects.LENGTH, DataTypes.LongType)
          .add(StoredObjects.MODIFIED, DataTypes.LongType);

  /** An image id and what is stored of it. */
  static final StructType TYPE =
      new StructType()
          .add(ManifestColumns.IMAGE_ID.name(), DataTypes.StringType)
          .add(MarkImages.COPY, MarkImages.COPY_TYPE);

  private static final Pattern STAGED = Pattern.compile(StagedImages.IDENTITY);

  @Override
  public Iterator<Row> call(Iterator<Row> sorted) {
    ReadReceipts receipts = new ReadReceipts(ImageStore.open(output, hadoop.value()));
    PeekingIterator<Row> rows = PeekingIterator.peekingIterator(sorted);
    return new LazyIteratorChain<>() {
      @Override
      protected Iterator<Row> nextIterator(int count) {
        return rows.hasNext() ? copies(rows, receipts).iterator() : null;
      }
    };
  }

  /** Takes the rows of the next path, which is null for images that are not to be drawn. */
  private List<Row> copies(PeekingIterator<Row> rows, ReadReceipts receipts) {
    String path = rows.peek().getAs(ManifestColumns.PATH.name());
    Map<String, Row> newest = new HashMap<>();
    Row object = null;
    boolean requested = false;
    while (rows.hasNext() && Objects.equals(path, rows.peek().getAs(ManifestColumns.PATH.name()))) {
      Row row = rows.next();
      requested |= row.<Boolean>getAs(REQUESTED);
      object = object == null ? row.getAs(OBJECT) : object;
      Row manifest = row.getAs(ROW);
      if (manifest != null) {
        newest.merge(ManifestColumns.MEMBER.of(manifest), manifest, StoredCopies::newer);
      }
    }
    if (object == null) {
      return List.of();
    }
    List<Row> copies = new ArrayList<>();
    for (Row row : newest.values()) {
      if (isUnchanged(row, object)) {
        copies.add(RowFactory.create(ManifestColumns.IMAGE_ID.of(row), MarkImages.reused(row)));
      }
    }
    if (copies.isEmpty() && !force) {
      copies.addAll(unknown(path, requested, receipts));
    }
    return copies;
  }

  /** Of several images that were stored under one name, the last has replaced the others. */
  private static Row newer(Row one, Row other) {
    return created(one) >= created(other) ? one : other;
  }

  private static long created(Row row) {
    return row.<Long>getAs(ManifestColumns.CREATED_AT.name());
  }

  /**
   * An object whose key holds the identity of the image is that image. An object under another key
   * may have been replaced since by a run without a manifest; then it is younger than the row. The
   * names of shards are hashes of their content.
   */
  private static boolean isUnchanged(Row row, Row object) {
    StoredImage image = StoredImage.read(row);
    long length = image.shardBytes() == null ? image.bytes() : image.shardBytes();
    boolean named = image.path().contains(ManifestColumns.IMAGE_ID.<String>of(row));
    boolean older = object.<Long>getAs(StoredObjects.MODIFIED) <= created(row);
    return length == object.<Long>getAs(StoredObjects.LENGTH)
        && (named || older || image.member() != null);
  }

  private static List<Row> unknown(String path, boolean requested, ReadReceipts receipts) {
    if (path.startsWith(StagedImages.DIRECTORY + "/")) {
      Matcher name = STAGED.matcher(path);
      return name.find() ? List.of(MarkImages.unread(name.group(1), path)) : List.of();
    }
    return requested
        ? receipts
            .read(path)
            .map(it -> RowFactory.create(it.imageId(), MarkImages.found(it)))
            .stream()
            .toList()
        : List.of();
  }
}
