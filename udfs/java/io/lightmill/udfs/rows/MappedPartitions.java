package io.lightmill.udfs.rows;

import org.apache.spark.Partition;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * The partitions of an RDD under a function, as {@code mapPartitions} makes them. That wraps the
 * function in a closure, reads the bytes of the closure's class and serializes it for a check,
 * which for a small table takes longer than its rows.
 */
public final class MappedPartitions<T, U> extends RDD<U> {

  private static final long serialVersionUID = 1L;

  private final FlatMapFunction<java.util.Iterator<T>, U> function;

  private MappedPartitions(
      RDD<T> parent, FlatMapFunction<java.util.Iterator<T>, U> function, ClassTag<U> type) {
    super(parent, type);
    this.function = function;
  }

  /**
   * Rows that are computed when they are needed.
   *
   * @param function serializable; called once for each attempt at a partition
   * @param type of the elements that it makes
   */
  public static <T, U> RDD<U> of(
      RDD<T> parent, FlatMapFunction<java.util.Iterator<T>, U> function, Class<U> type) {
    return new MappedPartitions<>(parent, function, ClassTag$.MODULE$.apply(type));
  }

  @Override
  public Iterator<U> compute(Partition partition, TaskContext task) {
    try {
      return CollectionConverters.asScala(
          function.call(CollectionConverters.asJava(parent().iterator(partition, task))));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw sneaky(e);
    }
  }

  @Override
  public Partition[] getPartitions() {
    return parent().partitions();
  }

  @SuppressWarnings("unchecked")
  private RDD<T> parent() {
    return (RDD<T>) dependencies().head().rdd();
  }

  /** Scala declares no exceptions, so callers see what the function threw. */
  @SuppressWarnings("unchecked")
  private static <E extends Exception> RuntimeException sneaky(Exception thrown) throws E {
    throw (E) thrown;
  }
}
