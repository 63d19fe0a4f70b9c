package io.lightmill.udfs.shard;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;

/** The images of manifest rows in the form that shards hold. */
public final class RowImages {

  private final StructType schema;

  /** Indexes of the columns that describe the image, which the shard has too. */
  private final List<Integer> ofImage;

  /**
   * @param schema of the rows
   */
  public RowImages(StructType schema) {
    this.schema = schema;
    this.ofImage =
        IntStream.range(0, schema.length())
            .filter(i -> !ManifestColumns.aboutRun(schema.apply(i).name()))
            .filter(i -> !schema.apply(i).name().equals(Manifest.THUMBNAIL))
            .boxed()
            .toList();
  }

  /** Whether the image of a row is to be packed. */
  boolean staged(Row row) {
    String path = value(row, ManifestColumns.PATH);
    return path != null && StagedImages.include(path);
  }

  ShardImage image(Row row) {
    return new ShardImage(
        value(row, ManifestColumns.PATH),
        value(row, ManifestColumns.MEMBER),
        this.<Long>value(row, ManifestColumns.BYTES),
        value(row, ManifestColumns.SHA256),
        new ShardImage.Row(
            value(row, ManifestColumns.ID),
            this.<Integer>value(row, ManifestColumns.VARIANT),
            value(row, ManifestColumns.IMAGE_ID),
            value(row, ManifestColumns.PROMPT),
            this.<Integer>value(row, ManifestColumns.WIDTH),
            this.<Integer>value(row, ManifestColumns.HEIGHT),
            this.<Long>value(row, ManifestColumns.SEED),
            RowJson.of(schema, row, ofImage)));
  }

  /** The same row, with its image in the shard. */
  Row packed(Row row, PackedShard shard) {
    Object[] values = new Object[row.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = row.get(i);
    }
    String member = value(row, ManifestColumns.MEMBER);
    values[index(ManifestColumns.PATH)] = shard.key();
    values[index(ManifestColumns.MEMBER_OFFSET)] = shard.offsets().get(member);
    values[index(ManifestColumns.SHARD_BYTES)] = shard.bytes();
    return RowFactory.create(values);
  }

  @SuppressWarnings("TypeParameterUnusedInFormals") // as Row.getAs
  private <T> T value(Row row, ManifestColumn column) {
    return row.getAs(index(column));
  }

  private int index(ManifestColumn column) {
    return schema.fieldIndex(column.name());
  }
}
