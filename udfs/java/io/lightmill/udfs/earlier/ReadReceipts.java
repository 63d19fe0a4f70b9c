package io.lightmill.udfs.earlier;

import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
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
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** Identifies objects that no manifest has by the receipts in them. */
record ReadReceipts(String output, SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {

  static final StructType TYPE =
      ManifestColumn.schema(
          ManifestColumns.IMAGE_ID,
          ManifestColumns.PATH,
          ManifestColumns.MEMBER,
          ManifestColumns.MEMBER_OFFSET,
          ManifestColumns.SHARD_BYTES,
          ManifestColumns.BYTES,
          ManifestColumns.SHA256,
          ManifestColumns.BLANK,
          ManifestColumns.VERDICTS,
          ManifestColumns.VERDICT_STAGE,
          ManifestColumns.POLICY_DIGEST,
          ManifestColumns.SCORES);

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
                    id,
                    path,
                    null,
                    null,
                    null,
                    (long) bytes.length,
                    DigestUtils.sha256Hex(bytes),
                    null,
                    null,
                    null,
                    null,
                    null));
  }

  /** The identity in the receipt of an image; empty if the image is damaged or not of Lightmill. */
  static Optional<String> imageId(byte[] image) {
    return ImageReceiptReader.identity(image).map(ImageIdentity::imageIdOf);
  }
}
