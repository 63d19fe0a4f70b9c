package io.lightmill.udfs.table;

import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.left;
import static org.apache.spark.sql.functions.lit;

import io.lightmill.udfs.rows.MappedPartitions;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Iterator;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Column;
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

  private static final int DIGITS = 32;

  /** Between a digest and the number of images, if that is not 1. */
  private static final char IMAGES = '-';

  private static final int HALF = DIGITS / 2;
  private static final int BITS_OF_DIGIT = 4;

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

  /** Whether a digest of {@link #ofImages} is that of several images. */
  public static boolean isOfSeveral(UTF8String stored) {
    return stored.numBytes() > DIGITS;
  }

  /** The digest of the row, of a digest by {@link #ofImages}. */
  public static Column ofRow(Column stored) {
    return left(stored, lit(DIGITS));
  }

  /** The digest of the row, of a digest by {@link #ofImages}. */
  public static UTF8String ofRow(UTF8String stored) {
    return isOfSeveral(stored) ? stored.substring(0, DIGITS) : stored;
  }

  /** The digest of {@link #ofImages} that a row with so many images has. */
  public static Column ofImages(Column digest, Column images) {
    return concat(digest, lit(String.valueOf(IMAGES)), images.cast(DataTypes.StringType));
  }

  /**
   * The first or second 64 bits of a digest.
   *
   * @param half 0 or 1
   */
  public static long half(UTF8String digest, int half) {
    long bits = 0;
    for (int i = half * HALF; i < (half + 1) * HALF; i++) {
      bits = (bits << BITS_OF_DIGIT) | HexFormat.fromHexDigit(digest.getByte(i));
    }
    return bits;
  }

  /** The digest with these halves. */
  public static UTF8String text(long first, long second) {
    HexFormat hex = HexFormat.of();
    return UTF8String.fromString(hex.toHexDigits(first) + hex.toHexDigits(second));
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
            byte[] digest = sha256.digest(bytes.getBytes());
            UTF8String text = UTF8String.fromString(HexFormat.of().formatHex(digest, 0, HALF));
            return new JoinedRow(bytes, new GenericInternalRow(new Object[] {text}));
          });
    }
  }
}
