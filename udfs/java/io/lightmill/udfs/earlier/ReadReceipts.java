package io.lightmill.udfs.earlier;

import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.store.FoundObject;
import io.lightmill.udfs.store.ImageStore;
import java.util.Iterator;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** Reads objects that no manifest names: what they are, their own receipts say. */
record ReadReceipts(String output, SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {

  static final StructType TYPE =
      new StructType()
          .add("image_id", DataTypes.StringType)
          .add("path", DataTypes.StringType)
          .add("member", DataTypes.StringType)
          .add("member_offset", DataTypes.LongType)
          .add("shard_bytes", DataTypes.LongType)
          .add("bytes", DataTypes.LongType)
          .add("sha256", DataTypes.StringType);

  @Override
  public Iterator<Row> call(Iterator<Row> paths) {
    ImageStore store = ImageStore.open(output, hadoop.value());
    return StreamSupport.stream(
            Spliterators.spliteratorUnknownSize(paths, Spliterator.ORDERED), false)
        .flatMap(row -> images(store, row.getString(0)))
        .iterator();
  }

  private Stream<Row> images(ImageStore store, String path) {
    return store.find(path).stream().flatMap(object -> image(path, object).stream());
  }

  private static Optional<Row> image(String path, FoundObject object) {
    byte[] bytes = object.bytes();
    return imageId(bytes)
        .map(
            id ->
                RowFactory.create(
                    id, path, null, null, null, (long) bytes.length, DigestUtils.sha256Hex(bytes)));
  }

  /** The identity of an image by its receipt; empty where it is not whole or not ours. */
  static Optional<String> imageId(byte[] image) {
    return ImageReceiptReader.identity(image).map(ImageIdentity::imageId);
  }
}
