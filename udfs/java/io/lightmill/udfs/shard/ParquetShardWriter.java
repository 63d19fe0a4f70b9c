package io.lightmill.udfs.shard;

import io.lightmill.udfs.store.StreamedParquetFile;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/**
 * Parquet with one row per image. Row groups are small, so that few images are in memory, and
 * sorted by {@code image.path}, so that a reader of one image finds its row group by statistics.
 */
final class ParquetShardWriter implements ShardWriter {

  private static final MessageType SCHEMA =
      MessageTypeParser.parseMessageType(
          """
          message images {
            optional group image {
              optional binary bytes;
              optional binary path (STRING);
            }
            required binary id (STRING);
            required int32 variant;
            required binary image_id (STRING);
            required binary prompt (STRING);
            required int32 width;
            required int32 height;
            required int64 seed;
            required binary metadata (STRING);
          }
          """);

  /** Metadata that makes Hugging Face's {@code datasets} library decode the struct as an image. */
  private static final Map<String, String> FEATURES =
      Map.of(
          "huggingface",
          """
          {"info": {"features": {\
          "image": {"_type": "Image"}, \
          "id": {"dtype": "string", "_type": "Value"}, \
          "variant": {"dtype": "int32", "_type": "Value"}, \
          "image_id": {"dtype": "string", "_type": "Value"}, \
          "prompt": {"dtype": "string", "_type": "Value"}, \
          "width": {"dtype": "int32", "_type": "Value"}, \
          "height": {"dtype": "int32", "_type": "Value"}, \
          "seed": {"dtype": "int64", "_type": "Value"}, \
          "metadata": {"dtype": "string", "_type": "Value"}}}}\
          """);

  private static final String IMAGE_BYTES = "image.bytes";

  /** A row group is in memory until it is written: its pages, and their encoded form. */
  private static final long ROW_GROUP_BYTES = 16L << 20;

  private final ParquetWriter<Group> parquet;

  ParquetShardWriter(OutputStream out) throws IOException {
    parquet =
        ExampleParquetWriter.builder(new StreamedParquetFile(out))
            .withConf(new PlainParquetConfiguration())
            .withType(SCHEMA)
            .withExtraMetaData(FEATURES)
            .withCompressionCodec(
                CompressionCodecName.UNCOMPRESSED) // images are compressed already
            .withRowGroupSize(ROW_GROUP_BYTES)
            .withMinRowCountForPageSizeCheck(1)
            .withMaxRowCountForPageSizeCheck(1)
            .withDictionaryEncoding(IMAGE_BYTES, false)
            .withStatisticsEnabled(IMAGE_BYTES, false)
            .build();
  }

  @Override
  public OptionalLong add(ShardImage image, byte[] bytes) throws IOException {
    ShardImage.Row row = image.row();
    Group group = new SimpleGroup(SCHEMA);
    group
        .addGroup("image")
        .append("bytes", Binary.fromConstantByteArray(bytes))
        .append("path", image.member());
    parquet.write(
        group
            .append("id", row.id())
            .append("variant", row.variant())
            .append("image_id", row.imageId())
            .append("prompt", row.prompt())
            .append("width", row.width())
            .append("height", row.height())
            .append("seed", row.seed())
            .append("metadata", row.json()));
    return OptionalLong.empty();
  }

  @Override
  public void close() throws IOException {
    parquet.close();
  }
}
