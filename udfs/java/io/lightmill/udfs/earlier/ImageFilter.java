package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.rows.MappedPartitions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.util.sketch.BloomFilter;
import org.apache.spark.util.sketch.IncompatibleMergeException;
import scala.reflect.ClassTag$;

/**
 * Leaves of manifests and listings what concerns a few images: rows of these images, and everything
 * under a path at which one of them is or will be stored. So the other rows are not shuffled. It
 * may leave more, since it is a Bloom filter, whose size does not depend on the images that are
 * left out.
 *
 * @param ids of the images
 * @param paths at which they may be
 */
record ImageFilter(Broadcast<byte[]> ids, Broadcast<byte[]> paths) {

  /** With more images, filtering leaves most rows and is not worth its time. */
  static final long MOST_IMAGES = 2_000_000;

  private static final int BITS_PER_IMAGE = 16;
  private static final long FEWEST = 4_096;

  /**
   * The filter of these images.
   *
   * @param rows of all manifests
   * @param images rows of {@link PlannedImages}, read once for each of the two filters
   * @param count of the images, at most {@link #MOST_IMAGES}
   */
  static ImageFilter of(SparkSession spark, Dataset<Row> rows, Dataset<Row> images, long count) {
    Column imageId = ManifestColumns.IMAGE_ID.col();
    Column path = ManifestColumns.PATH.col();
    Broadcast<byte[]> ids = filter(spark, images.select(imageId), count);
    Dataset<Row> named = rows.filter(contains(ids, imageId)).select(path);
    // An image may have several copies; with very many, the filter leaves more rows.
    Broadcast<byte[]> paths =
        filter(spark, named.union(images.select(col(PlannedImages.KEY))), 4 * count);
    return new ImageFilter(ids, paths);
  }

  /** The rows of manifests that concern the images. */
  Dataset<Row> rows(Dataset<Row> rows) {
    return rows.filter(
        contains(ids, ManifestColumns.IMAGE_ID.col())
            .or(contains(paths, ManifestColumns.PATH.col())));
  }

  /**
   * The objects that concern the images.
   *
   * @param always condition for objects that may, whatever their path is
   */
  Dataset<Row> objects(Dataset<Row> listed, Column always) {
    return listed.filter(always.or(contains(paths, ManifestColumns.PATH.col())));
  }

  private static Column contains(Broadcast<byte[]> filter, Column text) {
    return udf(new Contains(filter), DataTypes.BooleanType).apply(text);
  }

  private static Broadcast<byte[]> filter(SparkSession spark, Dataset<Row> texts, long count) {
    long expected = Math.max(FEWEST, count);
    RDD<byte[]> parts =
        MappedPartitions.of(
            ((org.apache.spark.sql.classic.Dataset<Row>) texts).queryExecution().toRdd(),
            new Filled(expected));
    BloomFilter all = empty(expected);
    List<byte[]> filters = MappedPartitions.collected(parts, spark);
    for (byte[] part : filters) {
      try {
        all.mergeInPlace(read(part));
      } catch (IncompatibleMergeException e) { // all have the same size
        throw new IllegalStateException(e);
      }
    }
    return spark.sparkContext().broadcast(written(all), ClassTag$.MODULE$.apply(byte[].class));
  }

  private static BloomFilter empty(long expected) {
    return BloomFilter.create(expected, expected * BITS_PER_IMAGE);
  }

  private static byte[] written(BloomFilter filter) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      filter.writeTo(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static BloomFilter read(byte[] bytes) {
    try {
      return BloomFilter.readFrom(new ByteArrayInputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The filter of the texts of a partition. */
  private record Filled(long expected) implements FlatMapFunction<Iterator<InternalRow>, byte[]> {

    @Override
    public Iterator<byte[]> call(Iterator<InternalRow> texts) {
      if (!texts.hasNext()) {
        return List.<byte[]>of().iterator();
      }
      BloomFilter filter = empty(expected);
      while (texts.hasNext()) {
        InternalRow text = texts.next();
        if (!text.isNullAt(0)) {
          filter.putBinary(text.getUTF8String(0).getBytes());
        }
      }
      return List.of(written(filter)).iterator();
    }
  }

  /** Whether a text may be in a filter. */
  private static final class Contains implements UDF1<String, Boolean> {

    private static final long serialVersionUID = 1L;

    private final Broadcast<byte[]> bytes;
    private transient volatile BloomFilter filter;

    Contains(Broadcast<byte[]> bytes) {
      this.bytes = bytes;
    }

    @Override
    public Boolean call(String text) {
      if (filter == null) {
        filter = read(bytes.value());
      }
      return text != null && filter.mightContainString(text);
    }
  }
}
