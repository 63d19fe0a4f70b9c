package io.lightmill.udfs.shard;

import io.lightmill.udfs.store.OpenObject;
import org.apache.parquet.hadoop.util.HadoopStreams;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.SeekableInputStream;

/** Lets Parquet read an open object. */
record OpenParquetFile(OpenObject object) implements InputFile {

  @Override
  public long getLength() {
    return object.bytes();
  }

  @Override
  public SeekableInputStream newStream() {
    return HadoopStreams.wrap(object.stream());
  }
}
