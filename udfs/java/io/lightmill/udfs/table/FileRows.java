package io.lightmill.udfs.table;

import io.lightmill.udfs.rows.MappedPartitions;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import org.apache.spark.util.TaskCompletionListener;

/** The rows of text files, one file after the other. A file is open while its rows are read. */
final class FileRows implements Iterator<InternalRow> {

  /** As Spark's own readers: bytes of a task, and what opening a file costs. */
  private static final long TASK_BYTES = 128L << 20;

  private static final long OPEN_BYTES = 4L << 20;

  /** Opens a file. */
  @FunctionalInterface
  interface Source extends Serializable {
    Open open(TableFile file, Configuration hadoop) throws IOException;
  }

  /** An open file. */
  interface Open extends AutoCloseable {

    /** The next row; null after the last. */
    InternalRow next() throws IOException;

    @Override
    void close() throws IOException;
  }

  private final Iterator<TableFile> files;
  private final Source source;
  private final Configuration hadoop;
  private TableFile file;
  private Open open;
  private InternalRow next;

  private FileRows(List<TableFile> files, Source source, Configuration hadoop) {
    this.files = files.iterator();
    this.source = source;
    this.hadoop = hadoop;
    TaskContext task = TaskContext.get();
    if (task != null) {
      task.addTaskCompletionListener((TaskCompletionListener) done -> close());
    }
  }

  /** The rows of all files as a table; few small files are one task. */
  static Dataset<Row> dataset(
      SparkSession spark, List<TableFile> files, StructType schema, Source source) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    List<List<TableFile>> tasks = tasks(files, context.defaultParallelism());
    SharedConfiguration hadoop = new SharedConfiguration(hadoop(spark));
    RDD<InternalRow> rows =
        MappedPartitions.of(
            context.parallelize(tasks, Math.max(1, tasks.size())).rdd(),
            (Iterator<List<TableFile>> task) ->
                new FileRows(
                    task.hasNext() ? task.next() : List.of(), source, hadoop.value())); // one each
    return ((org.apache.spark.sql.classic.SparkSession) spark)
        .internalCreateDataFrame(rows, schema, false);
  }

  /** Hadoop's settings with those of the session, as Spark's own readers have them. */
  static Configuration hadoop(SparkSession spark) {
    return ((org.apache.spark.sql.classic.SparkSession) spark).sessionState().newHadoopConf();
  }

  private static List<List<TableFile>> tasks(List<TableFile> files, int parallelism) {
    long bytes = files.stream().mapToLong(file -> file.length() + OPEN_BYTES).sum();
    long most = Math.min(TASK_BYTES, Math.max(OPEN_BYTES, bytes / parallelism));
    List<List<TableFile>> tasks = new ArrayList<>();
    long taken = 0;
    for (TableFile file : files) {
      if (tasks.isEmpty() || taken + file.length() > most) {
        tasks.add(new ArrayList<>());
        taken = 0;
      }
      tasks.get(tasks.size() - 1).add(file);
      taken += file.length() + OPEN_BYTES;
    }
    return tasks;
  }

  /** Text as a row holds it. */
  static UTF8String text(String value) {
    return value == null ? null : UTF8String.fromString(value);
  }

  @Override
  public boolean hasNext() {
    while (next == null && (open != null || files.hasNext())) {
      try {
        if (open == null) {
          file = files.next();
          open = source.open(file, hadoop);
        }
        next = open.next();
        if (next == null) {
          close();
        }
      } catch (IOException e) {
        throw file.unreadable(e);
      }
    }
    return next != null;
  }

  @Override
  public InternalRow next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    InternalRow row = next;
    next = null;
    return row;
  }

  private void close() {
    Open closed = open;
    open = null;
    if (closed != null) {
      try {
        closed.close();
      } catch (IOException e) {
        throw file.unreadable(e);
      }
    }
  }
}
