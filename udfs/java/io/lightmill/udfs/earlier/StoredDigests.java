package io.lightmill.udfs.earlier;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.rows.MappedPartitions;
import io.lightmill.udfs.table.RowDigests;
import java.io.Serializable;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads the digests of the newest manifest, one of each table row, and compares the shards that it
 * names with those that exist.
 *
 * @param most differences that are told
 * @param shards lengths of all shards by key
 */
record StoredDigests(int most, Broadcast<Map<UTF8String, Long>> shards)
    implements FlatMapFunction<Iterator<InternalRow>, StoredDigests.Found> {

  private static final String[] COLUMNS = {
    ManifestColumns.ROW_DIGEST.name(),
    ManifestColumns.VARIANT.name(),
    ManifestColumns.PATH.name(),
    ManifestColumns.SHARD_BYTES.name()
  };

  /** What some of the rows have. */
  static final class Found implements Serializable {

    private static final long serialVersionUID = 1L;

    private final DigestDifference digests;
    private final Set<UTF8String> missing = new HashSet<>();
    private boolean several;
    private boolean unpacked;

    private Found(int most) {
      digests = new DigestDifference(most);
    }

    /** Digests of rows, as those of the second collection. */
    DigestDifference digests() {
      return digests;
    }

    /**
     * Digests of rows with an image in a shard that does not exist or has another length; if there
     * are more than {@link UnchangedRows#MOST_DIGESTS}, some of them.
     */
    Set<UTF8String> missing() {
      return missing;
    }

    /** Whether a row has several images. */
    boolean several() {
      return several;
    }

    /** Whether an image is not in a shard. */
    boolean unpacked() {
      return unpacked;
    }

    private Found plus(Found other) {
      digests.add(other.digests);
      missing.addAll(other.missing);
      several |= other.several;
      unpacked |= other.unpacked;
      return this;
    }
  }

  /** Reads all rows. */
  static Found of(NewestImages newest, int most, Map<UTF8String, Long> shards) {
    Dataset<Row> rows = newest.columns(COLUMNS);
    StoredDigests reading =
        new StoredDigests(most, FewRows.broadcast(rows.sparkSession().sparkContext(), shards));
    return MappedPartitions.collected(
            MappedPartitions.of(UnchangedRows.fewTasks(rows), reading), rows.sparkSession())
        .stream()
        .reduce(new Found(most), Found::plus);
  }

  @Override
  public Iterator<Found> call(Iterator<InternalRow> rows) {
    Map<UTF8String, Long> lengths = shards.value();
    Found found = new Found(most);
    while (rows.hasNext()) {
      InternalRow row = rows.next();
      if (row.isNullAt(0)) {
        continue;
      }
      UTF8String digest = row.getUTF8String(0);
      if (row.getInt(1) == 0) {
        found.digests.add(digest, -1);
      }
      found.several |= RowDigests.isOfSeveral(digest);
      boolean packed = !row.isNullAt(3);
      found.unpacked |= !packed;
      if (packed
          && found.missing.size() <= UnchangedRows.MOST_DIGESTS
          && !Objects.equals(lengths.get(row.getUTF8String(2)), row.getLong(3))) {
        found.missing.add(RowDigests.ofRow(digest).copy()); // the row is used again
      }
    }
    return List.of(found).iterator();
  }
}
