package io.lightmill.udfs.shard;

import io.lightmill.udfs.store.PathSegment;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.commons.io.FilenameUtils;

/** File formats of shards. */
public enum ShardFormat {
  /**
   * Tar files for the <a href="https://github.com/webdataset/webdataset">webdataset</a> library. A
   * sample is {@code KEY.png} or {@code KEY.jpg}, {@code KEY.txt} with the prompt, and {@code
   * KEY.json} with the row.
   */
  WEBDATASET("tar", "application/x-tar") {
    @Override
    ShardWriter writer(OutputStream out) {
      return new TarShardWriter(out);
    }

    /**
     * The library uses the part before the first dot as the key, and its index reader does not
     * support names that are longer than those in a plain tar header.
     */
    @Override
    public String named(String path) {
      String key = FilenameUtils.removeExtension(path).replace('.', '_');
      return PathSegment.limited(key, key, MAX_KEY_BYTES) + "." + FilenameUtils.getExtension(path);
    }
  },
  /**
   * Parquet files with one row per image, which is stored as Hugging Face's {@code datasets}
   * library expects it: a struct of {@code bytes} and {@code path}.
   */
  PARQUET("parquet", "application/vnd.apache.parquet") {
    @Override
    ShardWriter writer(OutputStream out) throws IOException {
      return new ParquetShardWriter(out);
    }

    @Override
    public String named(String path) {
      return path;
    }
  };

  /** The 100 bytes of a tar header without the longest extension, {@code .json}. */
  private static final int MAX_KEY_BYTES = 95;

  private final String extension;
  private final String contentType;

  ShardFormat(String extension, String contentType) {
    this.extension = extension;
    this.contentType = contentType;
  }

  /** The extension of a shard's name, without the dot. */
  public String extension() {
    return extension;
  }

  String contentType() {
    return contentType;
  }

  /**
   * Starts a shard.
   *
   * @param out stays open
   */
  abstract ShardWriter writer(OutputStream out) throws IOException;

  /** The name of a member in this format, from the path of its image. */
  public abstract String named(String path);
}
