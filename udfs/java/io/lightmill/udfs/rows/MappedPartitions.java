package io.lightmill.udfs.rows;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.Partition;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.SQLExecution;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;

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
   */
  @SuppressWarnings(
      "unchecked") // as in Spark's Java API: with the true type, Spark would start Kryo
  public static <T, U> RDD<U> of(
      RDD<T> parent, FlatMapFunction<java.util.Iterator<T>, U> function) {
    return new MappedPartitions<>(parent, function, (ClassTag<U>) ClassTag$.MODULE$.AnyRef());
  }

  /**
   * Computes all elements in one Spark job, whose tasks have the settings of a session: those of
   * {@code RDD.collect} have not, and compile code.
   */
  public static <U> List<U> collected(RDD<U> rows, SparkSession spark) {
    Object[] partitions =
        (Object[])
            SQLExecution.withSQLConfPropagated(
                (org.apache.spark.sql.classic.SparkSession) spark,
                () ->
                    rows.sparkContext()
                        .runJob(rows, new Elements<U>(), ClassTag$.MODULE$.AnyRef()));
    List<U> all = new ArrayList<>();
    for (Object partition : partitions) {
      all.addAll(elements(partition));
    }
    return all;
  }

  @SuppressWarnings("unchecked")
  private static <U> List<U> elements(Object partition) {
    return (List<U>) partition;
  }

  /** No closure, so that Spark does not read the bytes of its class. */
  private static final class Elements<U> extends AbstractFunction2<TaskContext, Iterator<U>, Object>
      implements Serializable {

    private static final long serialVersionUID = 1L;

    @Override
    public Object apply(TaskContext task, Iterator<U> elements) {
      List<U> all = new ArrayList<>();
      while (elements.hasNext()) {
        all.add(elements.next());
      }
      return all;
    }
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
