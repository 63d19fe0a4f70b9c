package io.lightmill.udfs.manifest;

import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.output.BindingPathOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitterFactory;
import org.apache.hadoop.mapreduce.task.TaskAttemptContextImpl;

/** S3A's committer, with a check in the driver just before the job is committed. */
final class CheckedCommitter extends BindingPathOutputCommitter {

  private static final String CHECK = "lightmill.commit.check";
  private static final String FACTORY = "mapreduce.outputcommitter.factory.scheme.s3a";

  /** The checks of this driver, by their names in the configurations of jobs. */
  private static final Map<String, Runnable> CHECKS = new ConcurrentHashMap<>();

  private CheckedCommitter(Path output, TaskAttemptContext context) throws IOException {
    super(output, context);
  }

  /** A check that is made until it is closed. */
  record Check(String name) implements AutoCloseable {

    /** Options for the writer whose commit is checked. */
    Map<String, String> options() {
      return Map.of(CHECK, name, FACTORY, Factory.class.getName());
    }

    @Override
    public void close() {
      CHECKS.remove(name);
    }
  }

  /** Creates the committers of a job; Hadoop creates it by reflection. */
  public static final class Factory extends PathOutputCommitterFactory {

    @Override
    public PathOutputCommitter createOutputCommitter(Path output, TaskAttemptContext context)
        throws IOException {
      Configuration conf = new Configuration(context.getConfiguration());
      conf.set(FACTORY, S3ACommitterFactory.CLASSNAME);
      return new CheckedCommitter(
          output, new TaskAttemptContextImpl(conf, context.getTaskAttemptID()));
    }
  }

  /**
   * @param check throws if the commit is no longer allowed
   */
  static Check before(Runnable check) {
    Check named = new Check(UUID.randomUUID().toString());
    CHECKS.put(named.name(), check);
    return named;
  }

  @Override
  public void commitJob(JobContext context) throws IOException {
    CHECKS.get(context.getConfiguration().get(CHECK)).run();
    super.commitJob(context);
  }
}
