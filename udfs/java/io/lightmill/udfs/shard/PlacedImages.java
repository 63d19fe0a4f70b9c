package io.lightmill.udfs.shard;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.OpenObject;
import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.filter2.compat.FilterCompat;
import org.apache.parquet.filter2.predicate.FilterApi;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.io.api.Binary;

/** Reads images from the locations in a manifest: objects, and members of shards. */
public record PlacedImages(ImageStore store) {

  /**
   * The bytes of an image; empty if the object or the member does not exist.
   *
   * @throws LightmillException (STORE_FAILED) if the object cannot be read
   */
  public Optional<byte[]> read(ImagePlace place) {
    if (place.member().isEmpty()) {
      return store.read(place.path(), place.bytes());
    }
    Optional<OpenObject> shard = store.open(place.path());
    if (shard.isEmpty()) {
      return Optional.empty();
    }
    try (OpenObject open = shard.get()) {
      return place.offset().isPresent()
          ? range(open, place.offset().get(), place.bytes())
          : row(open, place.member().get());
    } catch (IOException
        | RuntimeException e) { // Parquet throws unchecked exceptions for invalid files
      throw new LightmillException(
          ErrorCode.STORE_FAILED,
          "image '%s' cannot be read from shard '%s': %s; fix its permissions, or delete the shard and run again"
              .formatted(place.member().get(), place.path(), e.getMessage()),
          e);
    }
  }

  private static Optional<byte[]> range(OpenObject shard, long offset, long bytes)
      throws IOException {
    byte[] image = new byte[Math.toIntExact(bytes)];
    try {
      shard.stream().readFully(offset, image);
      return Optional.of(image);
    } catch (EOFException e) {
      return Optional.empty();
    }
  }

  private static Optional<byte[]> row(OpenObject shard, String member) throws IOException {
    try (ParquetReader<Group> rows =
        new Rows(shard)
            .withFilter(
                FilterCompat.get(
                    FilterApi.eq(FilterApi.binaryColumn("image.path"), Binary.fromString(member))))
            .build()) {
      return Optional.ofNullable(rows.read())
          .map(row -> row.getGroup("image", 0).getBinary("bytes", 0).getBytes());
    }
  }

  private static final class Rows extends ParquetReader.Builder<Group> {

    Rows(OpenObject shard) {
      super(new OpenParquetFile(shard), new PlainParquetConfiguration());
    }

    @Override
    protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport();
    }
  }
}
