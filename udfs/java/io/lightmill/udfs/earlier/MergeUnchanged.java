package io.lightmill.udfs.earlier;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RowDigests;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.CatalystTypeConverters;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Compares the digests of table rows with those of the images that the newest manifest has of their
 * ids. Rows are sorted by id; of each id there are first the images, then the variants that are
 * missing in the store, then the rows of the table.
 *
 * @param copies schema of the images
 * @param table schema of the table's rows
 * @param planned schema of {@link PlannedImages} with {@link EarlierImages#EARLIER}
 * @param shards lengths of all shards by key; null if the images in shards are among those that are
 *     compared with a listing before
 */
record MergeUnchanged(
    StructType copies,
    StructType table,
    StructType planned,
    ClassifierFreeGuidance guidance,
    Broadcast<Map<UTF8String, Long>> shards)
    implements FlatMapFunction<Iterator<InternalRow>, InternalRow> {

  static final int KNOWN = 0;
  static final int MISSING = 1;
  static final int TABLE = 2;

  /** Columns of the manifest from which the plan of an image follows. */
  static final List<String> COLUMNS = columns();

  private static final int ID_AT = 0;
  private static final int KIND_AT = 1;
  private static final int VARIANT_AT = 2;
  private static final int COPY_AT = 3;
  private static final int TABLE_AT = 4;

  private static List<String> columns() {
    Set<String> columns = new LinkedHashSet<>();
    for (ManifestColumn column : ManifestColumns.ALL) {
      columns.add(column.name());
    }
    Set<String> used = new HashSet<>(Arrays.asList(EarlierImages.TYPE.fieldNames()));
    used.addAll(Arrays.asList(PlannedImages.schema(new StructType()).fieldNames()));
    used.remove(PlannedImages.COST); // of the plan; the manifest's is a price
    used.add(ManifestColumns.CREATED_AT.name());
    columns.retainAll(used);
    return List.copyOf(columns);
  }

  @Override
  public Iterator<InternalRow> call(Iterator<InternalRow> rows) {
    Merge merge = new Merge();
    return new LazyIteratorChain<>() {
      @Override
      protected Iterator<InternalRow> nextIterator(int count) {
        return rows.hasNext() ? merge.rows(rows.next()) : null;
      }
    };
  }

  /** The state of one task. */
  private final class Merge {

    private final int digestAt = table.fieldIndex(RequestRows.DIGEST);
    private final int copyDigestAt = copies.fieldIndex(ManifestColumns.ROW_DIGEST.name());
    private final int pathAt = copies.fieldIndex(ManifestColumns.PATH.name());
    private final int memberAt = copies.fieldIndex(ManifestColumns.MEMBER.name());
    private final int lengthAt = copies.fieldIndex(ManifestColumns.SHARD_BYTES.name());
    private final int negativeAt = copies.fieldIndex(RequestColumns.NEGATIVE_PROMPT.name());
    private final int passthroughAt = planned.fieldIndex(PlannedImages.PASSTHROUGH);
    private final int keyAt = planned.fieldIndex(PlannedImages.KEY);
    private final int duplicateAt = planned.fieldIndex(PlannedImages.DUPLICATE);
    private final int idleAt = planned.fieldIndex(PlannedImages.IDLE_NEGATIVE_PROMPT);
    private final int earlierAt = planned.fieldIndex(EarlierImages.EARLIER);
    private final int[] ofPlan = sources(planned, PlannedImages.COST);
    private final int[] ofEarlier = sources(EarlierImages.TYPE, "");
    private final int[] ofPassthrough;
    private final UTF8String reused = UTF8String.fromString(ImageStatus.REUSED.label());
    private final UTF8String images = UTF8String.fromString(PathTemplate.DIRECTORY + "/");
    private final Map<UTF8String, Long> lengths = shards == null ? null : shards.value();
    private final Map<Integer, InternalRow> known = new HashMap<>();
    private UTF8String id;
    private int occurrence;

    Merge() {
      StructType passthrough = PlannedImages.passthrough(planned);
      ofPassthrough = Arrays.stream(passthrough.fieldNames()).mapToInt(table::fieldIndex).toArray();
      for (String name :
          List.of(
              ManifestColumns.ERROR_CODE.name(),
              ManifestColumns.ERROR_MESSAGE.name(),
              ManifestColumns.VERDICTS.name())) {
        ofPlan[planned.fieldIndex(name)] = -1; // rows with these have no digest
      }
    }

    /** Where the images have the values of a schema; -1 for null. */
    private int[] sources(StructType schema, String without) {
      return Arrays.stream(schema.fieldNames())
          .mapToInt(
              name ->
                  name.equals(without) || copies.getFieldIndex(name).isEmpty()
                      ? -1
                      : copies.fieldIndex(name))
          .toArray();
    }

    /** What the next row adds to the result. */
    Iterator<InternalRow> rows(InternalRow row) {
      UTF8String next = row.getUTF8String(ID_AT);
      if (!Objects.equals(id, next)) {
        id = next == null ? null : next.copy();
        known.clear();
        occurrence = 0;
      }
      switch (row.getInt(KIND_AT)) {
        case KNOWN -> add(row.getInt(VARIANT_AT), row.getStruct(COPY_AT, copies.length()));
        case MISSING -> known.remove(row.getInt(VARIANT_AT));
        default -> {
          occurrence++;
          InternalRow values = row.getStruct(TABLE_AT, table.length());
          List<InternalRow> unchanged = occurrence == 1 ? unchanged(values) : List.of();
          return unchanged.isEmpty() ? List.of(changed(values)).iterator() : unchanged.iterator();
        }
      }
      return Collections.emptyIterator();
    }

    private void add(int variant, InternalRow copy) {
      boolean packed = lengths != null && !copy.isNullAt(memberAt);
      if (!packed
          || (!copy.isNullAt(lengthAt)
              && Objects.equals(lengths.get(copy.getUTF8String(pathAt)), copy.getLong(lengthAt)))) {
        known.put(variant, copy.copy());
      }
    }

    /** The images of a row; empty if one of them is not known or not as the row requests it. */
    private List<InternalRow> unchanged(InternalRow values) {
      UTF8String digest = values.getUTF8String(digestAt);
      InternalRow first = known.get(0);
      int count = first == null ? 0 : RowDigests.images(first.getUTF8String(copyDigestAt), digest);
      List<InternalRow> unchanged = new ArrayList<>(count);
      for (int variant = 0; variant < count; variant++) {
        InternalRow copy = known.get(variant);
        if (copy == null || RowDigests.images(copy.getUTF8String(copyDigestAt), digest) != count) {
          return List.of();
        }
        unchanged.add(image(copy, values));
      }
      return unchanged;
    }

    private InternalRow changed(InternalRow values) {
      Object[] row = new Object[planned.length() + 2];
      row[planned.length()] = values;
      row[planned.length() + 1] = occurrence;
      return new GenericInternalRow(row);
    }

    private InternalRow image(InternalRow copy, InternalRow values) {
      Object[] row = new Object[planned.length() + 2];
      for (int i = 0; i < ofPlan.length; i++) {
        row[i] = value(copy, copies, ofPlan[i]);
      }
      row[keyAt] =
          copy.isNullAt(memberAt)
              ? copy.getUTF8String(pathAt)
              : UTF8String.concat(images, copy.getUTF8String(memberAt));
      row[duplicateAt] = false;
      row[passthroughAt] = passthrough(values);
      row[earlierAt] = earlier(copy);
      row[idleAt] = !copy.isNullAt(negativeAt) && isIdle(row);
      return new GenericInternalRow(row);
    }

    private InternalRow passthrough(InternalRow values) {
      Object[] passthrough = new Object[ofPassthrough.length];
      for (int i = 0; i < passthrough.length; i++) {
        passthrough[i] = value(values, table, ofPassthrough[i]);
      }
      return new GenericInternalRow(passthrough);
    }

    /** The copy that the manifest names. */
    private InternalRow earlier(InternalRow copy) {
      Object[] earlier = new Object[ofEarlier.length];
      for (int i = 0; i < earlier.length; i++) {
        earlier[i] = value(copy, copies, ofEarlier[i]);
      }
      earlier[EarlierImages.TYPE.fieldIndex(ManifestColumns.STATUS.name())] = reused;
      return new GenericInternalRow(earlier);
    }

    private static Object value(InternalRow row, StructType schema, int index) {
      return index < 0 || row.isNullAt(index)
          ? null
          : row.get(index, schema.fields()[index].dataType());
    }

    private boolean isIdle(Object[] row) {
      Row image =
          (Row)
              CatalystTypeConverters.createToScalaConverter(planned)
                  .apply(new GenericInternalRow(Arrays.copyOf(row, planned.length())));
      return PlannedImages.idleNegativePrompt(PlannedImages.request(image), guidance);
    }
  }
}
