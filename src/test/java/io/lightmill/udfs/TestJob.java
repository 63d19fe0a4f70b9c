package io.lightmill.udfs;

import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.option.ColumnOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Sink;
import io.lightmill.udfs.run.HookedRun;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.shard.ShardFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Options, clock and listener of a run with the pipeline of the tests. */
public final class TestJob {

  private GenerationOptions options =
      GenerationOptions.EMPTY
          .with(ModelOptions.CHECKPOINT, "paint")
          .with(ModelOptions.BATCH_SIZE, 4)
          .with(Options.SEED, 7L)
          .with(Options.RUN_ID, "first");

  private boolean inBatches;
  private SparkSession spark;
  private Optional<Dataset<Row>> prompts = Optional.empty();
  private Optional<Instant> deadline = Optional.empty();
  private Clock clock = Clock.systemUTC();
  private OptionalLong manyRows = OptionalLong.empty();
  private RunListener progress = RunListener.NONE;

  public TestJob(Path table, Path output) {
    table(table).output(output.toString());
  }

  /** A job from {@code prompts.csv}, which holds these lines, to {@code out}. */
  public static TestJob in(Path directory, List<String> lines) throws IOException {
    Path table = Files.write(directory.resolve("prompts.csv"), lines);
    return new TestJob(table, directory.resolve("out"));
  }

  public <T> TestJob option(Option<T> option, T value) {
    options = options.with(option, value);
    return this;
  }

  /** The lines of a table of that many rows. */
  public static String[] rows(int count) {
    return Stream.concat(
            Stream.of("id,prompt"), IntStream.range(0, count).mapToObj(i -> i + ",mug " + i))
        .toArray(String[]::new);
  }

  TestJob column(String ours, String theirs) {
    Map<String, String> columns = new HashMap<>(options.entries(Options.COLUMN));
    columns.put(ours, theirs);
    return option(Options.COLUMN, columns);
  }

  TestJob table(Path table) {
    return table(table.toString());
  }

  public TestJob output(String uri) {
    return option(Options.OUTPUT_DIRECTORY, uri);
  }

  TestJob table(String uri) {
    return option(Options.INPUT, uri);
  }

  /** Takes these rows instead of a table at a location. */
  public TestJob prompts(Dataset<Row> rows) {
    prompts = Optional.of(rows);
    options = options.without(Options.INPUT);
    return this;
  }

  /** Runs in this session instead of that of all tests. */
  public TestJob session(SparkSession other) {
    spark = other;
    return this;
  }

  TestJob promptTemplate(String template) {
    return option(Options.PROMPT_TEMPLATE, template);
  }

  TestJob pathTemplate(String template) {
    return option(Options.PATH_TEMPLATE, template);
  }

  public TestJob packed(ShardFormat format, int shardSize) {
    return option(Options.SINK, Sink.valueOf(format.name())).option(Options.SHARD_SIZE, shardSize);
  }

  public TestJob unpacked() {
    options = options.without(Options.SINK).without(Options.SHARD_SIZE);
    return this;
  }

  public TestJob partitions(int count) {
    return option(ModelOptions.PARTITIONS, count);
  }

  TestJob limit(int rows) {
    return option(Options.LIMIT, rows);
  }

  TestJob width(int pixels) {
    return option(ColumnOptions.all().get("width"), "" + pixels);
  }

  /** Draws in batches, as on GPUs; otherwise each image is drawn alone, as on CPUs. */
  public TestJob batchSize(int images) {
    inBatches = true;
    return option(ModelOptions.BATCH_SIZE, images);
  }

  /** Draws in batches, as on GPUs, whose size is measured. */
  TestJob measuredBatchSize() {
    inBatches = true;
    options = options.without(ModelOptions.BATCH_SIZE);
    return this;
  }

  TestJob truncatingPrompts() {
    return option(Options.TRUNCATE_PROMPTS, true);
  }

  public TestJob force() {
    return option(Options.FORCE, true);
  }

  TestJob leavingFailed() {
    return option(Options.RETRY_FAILED, false);
  }

  public TestJob deadline(Instant instant) {
    deadline = Optional.of(instant);
    return this;
  }

  public TestJob mostFailures(int rows) {
    return option(Options.MAX_FAILURES, rows);
  }

  public TestJob clock(Clock other) {
    clock = other;
    return this;
  }

  /** Recognizes unchanged rows in small tables, too. */
  TestJob recognizingRows() {
    manyRows = OptionalLong.of(1);
    return this;
  }

  public TestJob runId(String id) {
    return option(Options.RUN_ID, id);
  }

  public TestJob progress(RunListener listener) {
    progress = listener;
    return this;
  }

  public GenerationOptions options() {
    return deadline
        .map(instant -> Duration.between(clock.instant(), instant))
        .map(duration -> options.with(Options.DEADLINE, duration))
        .orElse(options);
  }

  public RunResult run(SolidColorPipeline pipeline) {
    SparkSession session = spark == null ? TestSpark.session() : spark;
    Cluster cpus = Cluster.of(session.sparkContext(), DeviceChoice.CPU);
    Cluster cluster = inBatches ? new Cluster(true, cpus.slots(), cpus.local(), 0) : cpus;
    return run(session, cluster, pipeline::checkpoint);
  }

  RunResult run(SparkSession session, Cluster cluster, Supplier<JobCheckpoint> checkpoint) {
    return HookedRun.execute(
        session, prompts, options(), progress, cluster, checkpoint, clock, manyRows);
  }
}
