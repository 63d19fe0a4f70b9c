package io.lightmill.udfs.manifest;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.mapreduce.Job;
import org.apache.parquet.hadoop.ParquetOutputFormat;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.datasources.OutputWriterFactory;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.StructType;
import scala.collection.immutable.Map;

/**
 * Parquet as all readers of manifests expect it, whatever the session sets: timestamps are
 * microseconds in UTC and not INT96, and the footer has {@link ManifestWriteSupport}'s entries.
 */
public final class ManifestFormat extends ParquetFileFormat {

  private static final long serialVersionUID = 1L;

  /** Option of the writer: the time for {@link ManifestWriteSupport#COMMITTED}. */
  static final String COMMITTED = "lightmill.manifest.committed";

  @Override
  public OutputWriterFactory prepareWrite(
      SparkSession spark, Job job, Map<String, String> options, StructType schema) {
    OutputWriterFactory factory = super.prepareWrite(spark, job, options, schema);
    Configuration settings = job.getConfiguration();
    settings.set(
        SQLConf.PARQUET_OUTPUT_TIMESTAMP_TYPE().key(),
        SQLConf.ParquetOutputTimestampType$.MODULE$.TIMESTAMP_MICROS().toString());
    settings.setBoolean(SQLConf.PARQUET_WRITE_LEGACY_FORMAT().key(), false);
    ParquetOutputFormat.setWriteSupportClass(job, ManifestWriteSupport.class);
    return factory;
  }

  @Override
  public String toString() {
    return "Parquet of manifests";
  }
}
