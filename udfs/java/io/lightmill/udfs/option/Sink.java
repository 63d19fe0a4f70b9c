package io.lightmill.udfs.option;

/** What images are stored in. */
public enum Sink {
  /** One file an image. */
  FILES,
  /** Tar shards for the webdataset library. */
  WEBDATASET,
  /** Parquet files with the bytes of the images. */
  PARQUET
}
