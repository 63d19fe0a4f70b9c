package io.lightmill.udfs.manifest;

import io.lightmill.udfs.store.StreamedParquetFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.unsafe.types.UTF8String;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the classes and the native library that write manifests, by writing a row into memory. A
 * run does so while it plans, when a core is idle, since the first file of a JVM takes about half a
 * second, and all cores but one would be idle while the manifest is written.
 */
public final class WriterPreload {

  private static final Logger LOG = LoggerFactory.getLogger(WriterPreload.class);
  private static final AtomicBoolean BEGUN = new AtomicBoolean();

  private WriterPreload() {}

  /**
   * Begins, once in this JVM, in local mode, where this JVM writes the manifest. A failure has no
   * effect: the run reports it when it writes.
   */
  public static void begin(SparkSession spark) {
    if (!spark.sparkContext().isLocal() || BEGUN.getAndSet(true)) {
      return;
    }
    Thread thread =
        new Thread(
            () -> {
              try {
                write(ManifestFormat.settings(spark, Manifest.COLUMNS, Map.of()));
              } catch (IOException | RuntimeException e) {
                LOG.debug("The writer of manifests is not loaded ahead", e);
              }
            },
            "load manifest writer");
    thread.setDaemon(true);
    thread.start();
  }

  /** Writes a manifest of one row; returns the file. */
  static byte[] write(Configuration settings) throws IOException {
    StructField[] fields = Manifest.COLUMNS.fields();
    Object[] values = new Object[fields.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(fields[i].dataType());
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (ParquetWriter<InternalRow> parquet =
        ManifestFormat.writer(new StreamedParquetFile(file), settings)) {
      parquet.write(new GenericInternalRow(values));
    }
    return file.toByteArray();
  }

  /** Null for types that rows of manifests seldom have. */
  private static Object value(DataType type) {
    if (type.equals(DataTypes.StringType)) {
      return UTF8String.fromString("text");
    } else if (type.equals(DataTypes.IntegerType)) {
      return 1;
    } else if (type.equals(DataTypes.LongType) || type.equals(DataTypes.TimestampType)) {
      return 1L;
    } else if (type.equals(DataTypes.DoubleType)) {
      return 1.0;
    } else if (type.equals(DataTypes.BooleanType)) {
      return true;
    }
    return null;
  }
}
