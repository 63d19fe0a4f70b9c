package io.lightmill.udfs.table;

import io.lightmill.udfs.rows.MappedPartitions;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.commons.codec.binary.Hex;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.JoinedRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Digests of table rows, by which a later run recognizes a row whose images it would plan in the
 * same way. A digest covers all values of the row and everything else that its plan depends on: it
 * is the first 32 hexadecimal digits of the SHA-256 of the plan's fingerprint and the row in
 * Spark's binary form.
 */
public final class RowDigests {

  private static final int DIGEST_BYTES = 16;

  /** Between a digest and the number of images, if that is not 1. */
  private static final char IMAGES = '-';

  private RowDigests() {}

  /**
   * Adds a column {@link RequestRows#DIGEST} to a table.
   *
   * @param fingerprint of what the plan of a row depends on besides the row
   */
  public static Dataset<Row> beside(Dataset<Row> table, String fingerprint) {
    RDD<InternalRow> digested =
        MappedPartitions.of(
            ((org.apache.spark.sql.classic.Dataset<Row>) table).queryExecution().toRdd(),
            new Digesting(fingerprint, table.schema()));
    return ((SparkSession) table.sparkSession())
        .internalCreateDataFrame(
            digested, table.schema().add(RequestRows.DIGEST, DataTypes.StringType), false);
  }

  /**
   * The digest as the manifest has it in each image of a row.
   *
   * @param digest of the row; null if it has none
   * @param images of the row, at least 1
   */
  public static String ofImages(String digest, int images) {
    return digest == null || images == 1 ? digest : digest + IMAGES + images;
  }

  /**
   * How many images a row has whose images have a digest in a manifest.
   *
   * @param stored digest by {@link #ofImages}
   * @param digest of the row
   * @return 0 if the stored digest is that of another row
   */
  public static int images(UTF8String stored, UTF8String digest) {
    if (stored == null || digest == null || !stored.startsWith(digest)) {
      return 0;
    }
    return stored.numBytes() == digest.numBytes()
        ? 1
        : Integer.parseInt(stored.toString().substring(digest.numBytes() + 1));
  }

  private record Digesting(String fingerprint, StructType schema)
      implements FlatMapFunction<Iterator<InternalRow>, InternalRow> {

    @Override
    public Iterator<InternalRow> call(Iterator<InternalRow> rows) {
      UnsafeProjection binary = UnsafeProjection.create(schema);
      MessageDigest sha256 = DigestUtils.getSha256Digest();
      byte[] first = fingerprint.getBytes(StandardCharsets.UTF_8);
      return IteratorUtils.transformedIterator(
          rows,
          row -> {
            UnsafeRow bytes = row instanceof UnsafeRow unsafe ? unsafe : binary.apply(row);
            sha256.update(first);
            byte[] digest = Arrays.copyOf(sha256.digest(bytes.getBytes()), DIGEST_BYTES);
            UTF8String text = UTF8String.fromString(Hex.encodeHexString(digest));
            return new JoinedRow(bytes, new GenericInternalRow(new Object[] {text}));
          });
    }
  }
}
