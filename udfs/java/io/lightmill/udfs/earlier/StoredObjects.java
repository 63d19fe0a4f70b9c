package io.lightmill.udfs.earlier;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.RowFunction;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
import io.lightmill.udfs.store.ObjectListing;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import io.lightmill.udfs.store.SharedConfiguration;

/** The objects below an output, listed by the store. */
public final class StoredObjects {

  static final String LENGTH = "object_bytes";

  /** In microseconds since 1970, by the clock of the store. */
  static final String MODIFIED = "object_modified";

  private static final StructType TYPE =
      new StructType()
          .add(ManifestColumns.PATH.name(), DataTypes.StringType)
          .add(LENGTH, DataTypes.LongType)
          .add(MODIFIED, DataTypes.LongType);

  /** Beyond these, one listing of all is cheaper on an object store than one of each. */
  private static final int MOST_DIRECTORIES = 1024;

  private static final int MOST_TASKS = 64;

  private StoredObjects() {}

  /** Lists directories; their subdirectories are listed in parallel. */
  public static Dataset<Row> listed(
      SparkSession spark, ImageStore store, String output, String... directories) {
    List<String> roots =
        Arrays.stream(directories)
            .flatMap(
                directory -> {
                  List<String> children =
                      store.listing().children(directory, MOST_DIRECTORIES + 1);
                  return children.size() > MOST_DIRECTORIES
                      ? Stream.of(directory)
                      : children.stream();
                })
            .toList();
    SharedConfiguration hadoop =
        new SharedConfiguration(spark.sparkContext().hadoopConfiguration());
    int tasks = Math.max(1, Math.min(MOST_TASKS, roots.size() / 4));
    Dataset<Row> listed =
        spark.createDataset(roots, Encoders.STRING()).toDF().repartition(tasks);
    return new RowFunction(new ListObjects(output, hadoop), TYPE).of(listed);
  }

  private record ListObjects(String output, SharedConfiguration hadoop)
      implements MapPartitionsFunction<Row, Row> {

    @Override
    public Iterator<Row> call(Iterator<Row> directories) {
      ObjectListing listing = ImageStore.open(output, hadoop.value()).listing();
      return new LazyIteratorChain<>() {
        @Override
        protected Iterator<Row> nextIterator(int count) {
          return directories.hasNext()
              ? IteratorUtils.transformedIterator(
                  listing.objects(directories.next().getString(0)).iterator(), ListObjects::row)
              : null;
        }
      };
    }

    private static Row row(ListedObject object) {
      return RowFactory.create(
          object.key(),
          object.bytes(),
          ChronoUnit.MICROS.between(Instant.EPOCH, object.modified()));
    }
  }
}
