package io.lightmill.udfs.shard;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;

/** The images of manifest rows, as shards take them. */
public final class RowImages {

  /**
   * What tells of the run and not of the image: it is another at each attempt, and stands in the
   * manifest alone.
   */
  private static final Set<String> OF_THE_RUN =
      Set.of(
          "status",
          "error_code",
          "error_message",
          "path",
          "member",
          "member_offset",
          "shard_bytes",
          "run_id",
          "attempt",
          "created_at",
          "generate_ms",
          "encode_ms",
          "store_ms",
          "device",
          "policy_digest");

  private final StructType schema;
  private final List<Integer> told;

  /**
   * @param schema of the rows
   */
  public RowImages(StructType schema) {
    this.schema = schema;
    this.told =
        IntStream.range(0, schema.length())
            .filter(i -> !OF_THE_RUN.contains(schema.apply(i).name()))
            .boxed()
            .toList();
  }

  /** Whether the image of a row waits to be packed. */
  boolean staged(Row row) {
    String path = value(row, "path");
    return path != null && StagedImages.include(path);
  }

  ShardImage image(Row row) {
    return new ShardImage(
        value(row, "path"),
        value(row, "member"),
        this.<Long>value(row, "bytes"),
        value(row, "sha256"),
        new ShardImage.Row(
            value(row, "id"),
            this.<Integer>value(row, "variant"),
            value(row, "image_id"),
            value(row, "prompt"),
            this.<Integer>value(row, "width"),
            this.<Integer>value(row, "height"),
            this.<Long>value(row, "seed"),
            RowJson.of(schema, row, told)));
  }

  /** The same row, with its image where it stands now. */
  Row packed(Row row, PackedShard shard) {
    Object[] values = new Object[row.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = row.get(i);
    }
    String member = value(row, "member");
    values[schema.fieldIndex("path")] = shard.key();
    values[schema.fieldIndex("member_offset")] = shard.offsets().get(member);
    values[schema.fieldIndex("shard_bytes")] = shard.bytes();
    return RowFactory.create(values);
  }

  @SuppressWarnings("TypeParameterUnusedInFormals") // as Row.getAs
  private <T> T value(Row row, String column) {
    return row.getAs(schema.fieldIndex(column));
  }
}
