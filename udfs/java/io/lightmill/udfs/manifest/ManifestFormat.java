package io.lightmill.udfs.manifest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.mapreduce.Job;
import org.apache.parquet.hadoop.ParquetOutputFormat;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.StructType;
import scala.collection.immutable.Map$;

/**
 * Parquet as all readers of manifests expect it, whatever the session sets: timestamps are
 * microseconds in UTC and not INT96, and the footer has {@link ManifestWriteSupport}'s entries.
 */
final class ManifestFormat {

  /** Prefix of the settings of further entries of the footer. */
  static final String FOOTER = "lightmill.manifest.footer.";

  /** A task reads a row group or more, so that the rows of a large manifest are many tasks. */
  private static final long ROW_GROUP_BYTES = 4L << 20;

  private ManifestFormat() {}

  /**
   * The settings for {@link #writer}.
   *
   * @param footer further entries of the footer, such as {@link ManifestWriteSupport#COMMITTED}
   */
  static Configuration settings(SparkSession spark, StructType schema, Map<String, String> footer) {
    try {
      Job job = Job.getInstance(new Configuration(spark.sparkContext().hadoopConfiguration()));
      new ParquetFileFormat().prepareWrite(spark, job, Map$.MODULE$.empty(), schema);
      Configuration settings = job.getConfiguration();
      settings.set(
          SQLConf.PARQUET_OUTPUT_TIMESTAMP_TYPE().key(),
          SQLConf.ParquetOutputTimestampType$.MODULE$.TIMESTAMP_MICROS().toString());
      settings.setBoolean(SQLConf.PARQUET_WRITE_LEGACY_FORMAT().key(), false);
      footer.forEach((key, value) -> settings.set(FOOTER + key, value));
      return settings;
    } catch (IOException e) { // of the current user, whom Hadoop has looked up before
      throw new UncheckedIOException(e);
    }
  }

  /** A writer of rows. */
  static ParquetWriter<InternalRow> writer(OutputFile file, Configuration settings)
      throws IOException {
    return new Builder(file)
        .withConf(settings)
        .withRowGroupSize(ROW_GROUP_BYTES)
        .withCompressionCodec(
            CompressionCodecName.fromConf(settings.get(ParquetOutputFormat.COMPRESSION)))
        .build();
  }

  private static final class Builder extends ParquetWriter.Builder<InternalRow, Builder> {

    Builder(OutputFile file) {
      super(file);
    }

    @Override
    protected Builder self() {
      return this;
    }

    @Override
    @SuppressWarnings("deprecation") // the abstract one
    protected WriteSupport<InternalRow> getWriteSupport(Configuration settings) {
      return new ManifestWriteSupport();
    }
  }
}
