package io.lightmill.udfs.sql;

import io.lightmill.udfs.shard.ImagePlace;
import io.lightmill.udfs.shard.PlacedImages;
import io.lightmill.udfs.store.ImageStore;
import java.util.Iterator;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import io.lightmill.udfs.store.SharedConfiguration;

/**
 * Replaces the last column of each row, the place of an image, by the bytes of the image. They are
 * null if the row has no image, and if the object or the member of a shard is missing or its bytes
 * differ from those that the run stored.
 */
record ReadImages(String output, SharedConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {

  /** Of the last column, in this order. */
  static final String[] PLACE = {"path", "member", "member_offset", "bytes", "sha256"};

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    PlacedImages images = new PlacedImages(ImageStore.open(output, hadoop.value()));
    return IteratorUtils.transformedIterator(rows, row -> read(images, row));
  }

  private static Row read(PlacedImages images, Row row) {
    int last = row.length() - 1;
    Object[] values =
        Stream.iterate(0, i -> i < row.length(), i -> i + 1)
            .map(i -> i == last ? image(images, row.getStruct(last)).orElse(null) : row.get(i))
            .toArray();
    return RowFactory.create(values);
  }

  private static Optional<byte[]> image(PlacedImages images, Row place) {
    if (place.isNullAt(0)) {
      return Optional.empty();
    }
    return images
        .read(
            new ImagePlace(
                place.getString(0),
                Optional.ofNullable(place.<String>getAs(1)),
                Optional.ofNullable(place.<Long>getAs(2)),
                place.getLong(3)))
        .filter(bytes -> DigestUtils.sha256Hex(bytes).equals(place.getString(4)));
  }
}
