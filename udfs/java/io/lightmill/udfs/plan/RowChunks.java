package io.lightmill.udfs.plan;

import io.lightmill.udfs.rows.MappedPartitions;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.Platform;

/**
 * Rows in Spark's binary form, many in one array. {@link Dataset#persist} would encode them in
 * columns and compile code that decodes them, and an RDD of rows would serialize each as an object.
 */
final class RowChunks {

  private static final int CHUNK_BYTES = 1 << 20;

  /** The length of a row is before it. Rows stay aligned to 8 bytes. */
  private static final int PREFIX = 8;

  private RowChunks() {}

  static RDD<byte[]> of(Dataset<Row> rows) {
    return MappedPartitions.of(
        ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd(),
        new Chunks(rows.schema()));
  }

  static Dataset<Row> rows(RDD<byte[]> chunks, SparkSession spark, StructType schema) {
    return spark.internalCreateDataFrame(
        MappedPartitions.of(chunks, new Rows(schema.length())), schema, false);
  }

  private record Chunks(StructType schema)
      implements FlatMapFunction<Iterator<InternalRow>, byte[]> {

    @Override
    public Iterator<byte[]> call(Iterator<InternalRow> rows) {
      UnsafeProjection binary = UnsafeProjection.create(schema);
      Iterator<UnsafeRow> all =
          IteratorUtils.transformedIterator(
              rows, row -> row instanceof UnsafeRow unsafe ? unsafe : binary.apply(row));
      return new LazyIteratorChain<>() {
        @Override
        protected Iterator<byte[]> nextIterator(int count) {
          return all.hasNext() ? IteratorUtils.singletonIterator(chunk(all)) : null;
        }
      };
    }

    private static byte[] chunk(Iterator<UnsafeRow> rows) {
      byte[] chunk = new byte[CHUNK_BYTES];
      int end = 0;
      while (rows.hasNext() && end < CHUNK_BYTES) {
        UnsafeRow row = rows.next();
        int next = end + PREFIX + row.getSizeInBytes();
        if (next > chunk.length) {
          chunk = Arrays.copyOf(chunk, next);
        }
        Platform.putLong(chunk, Platform.BYTE_ARRAY_OFFSET + end, row.getSizeInBytes());
        row.writeToMemory(chunk, Platform.BYTE_ARRAY_OFFSET + end + PREFIX);
        end = next;
      }
      return Arrays.copyOf(chunk, end);
    }
  }

  private record Rows(int fields) implements FlatMapFunction<Iterator<byte[]>, InternalRow> {

    @Override
    public Iterator<InternalRow> call(Iterator<byte[]> chunks) {
      return new LazyIteratorChain<>() {
        @Override
        protected Iterator<InternalRow> nextIterator(int count) {
          return chunks.hasNext() ? rows(chunks.next()) : null;
        }
      };
    }

    private Iterator<InternalRow> rows(byte[] chunk) {
      UnsafeRow row = new UnsafeRow(fields);
      return new Iterator<>() {
        private int next;

        @Override
        public boolean hasNext() {
          return next < chunk.length;
        }

        @Override
        public InternalRow next() {
          if (!hasNext()) {
            throw new NoSuchElementException();
          }
          int bytes = (int) Platform.getLong(chunk, Platform.BYTE_ARRAY_OFFSET + next);
          row.pointTo(chunk, Platform.BYTE_ARRAY_OFFSET + next + PREFIX, bytes);
          next += PREFIX + bytes;
          return row;
        }
      };
    }
  }
}
