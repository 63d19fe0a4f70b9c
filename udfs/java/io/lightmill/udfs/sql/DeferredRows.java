package io.lightmill.udfs.sql;

import java.util.List;
import java.util.function.Supplier;
import org.apache.spark.Dependency;
import org.apache.spark.OneToOneDependency;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Row;
import scala.collection.Iterator;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;

/** The rows of an RDD that is made on the driver when a job needs its partitions. */
final class DeferredRows extends RDD<Row> {

  private static final long serialVersionUID = 1L;

  private final transient Supplier<RDD<Row>> making;

  DeferredRows(SparkContext context, Supplier<RDD<Row>> making) {
    super(context, CollectionConverters.asScala(List.<Dependency<?>>of()).toSeq(), rowTag());
    this.making = making;
  }

  private static ClassTag<Row> rowTag() {
    return ClassTag.apply(Row.class);
  }

  @Override
  public Partition[] getPartitions() {
    return making.get().partitions();
  }

  @Override
  public Seq<Dependency<?>> getDependencies() {
    return CollectionConverters.asScala(
            List.<Dependency<?>>of(new OneToOneDependency<>(making.get())))
        .toSeq();
  }

  @Override
  public Iterator<Row> compute(Partition split, TaskContext context) {
    return this.<Row>firstParent(rowTag()).iterator(split, context);
  }
}
