package io.lightmill.udfs;

import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.shard.ShardFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.sql.SparkSession;

/** A job on the paint studio, put together piece by piece. */
public final class TestJob {

  public static final ImageGeneration.Progress SILENT =
      new ImageGeneration.Progress() {
        @Override
        public void planned(long images, long toGenerate) {}

        @Override
        public void finished(long images) {}
      };

  private String output;
  private String table;
  private final Map<String, String> columns = new HashMap<>();
  private Optional<String> promptTemplate = Optional.empty();
  private Optional<String> pathTemplate = Optional.empty();
  private OptionalInt partitions = OptionalInt.empty();
  private OptionalInt width = OptionalInt.empty();
  private OptionalInt limit = OptionalInt.empty();
  private Optional<GenerationSettings.Packing> packing = Optional.empty();
  private int batchSize = 4;
  private boolean truncatePrompts;
  private GenerationSettings.Rerun rerun = new GenerationSettings.Rerun(false, true);
  private OptionalInt mostFailures = OptionalInt.empty();
  private Optional<Instant> deadline = Optional.empty();
  private Clock clock = Clock.systemUTC();
  private String runId = "first";
  private ImageGeneration.Progress progress = SILENT;

  public TestJob(Path table, Path output) {
    this.table = table.toString();
    this.output = output.toString();
  }

  /** A job from {@code prompts.csv}, which holds these lines, to {@code out}. */
  static TestJob in(Path directory, List<String> lines) throws IOException {
    Path table = Files.write(directory.resolve("prompts.csv"), lines);
    return new TestJob(table, directory.resolve("out"));
  }

  TestJob column(String ours, String theirs) {
    columns.put(ours, theirs);
    return this;
  }

  TestJob table(Path table) {
    this.table = table.toString();
    return this;
  }

  TestJob output(String uri) {
    output = uri;
    return this;
  }

  TestJob table(String uri) {
    this.table = uri;
    return this;
  }

  TestJob promptTemplate(String template) {
    promptTemplate = Optional.of(template);
    return this;
  }

  TestJob pathTemplate(String template) {
    pathTemplate = Optional.of(template);
    return this;
  }

  public TestJob packed(ShardFormat format, int shardSize) {
    packing = Optional.of(new GenerationSettings.Packing(format, shardSize));
    return this;
  }

  public TestJob unpacked() {
    packing = Optional.empty();
    return this;
  }

  public TestJob partitions(int count) {
    partitions = OptionalInt.of(count);
    return this;
  }

  TestJob limit(int rows) {
    limit = OptionalInt.of(rows);
    return this;
  }

  TestJob width(int pixels) {
    width = OptionalInt.of(pixels);
    return this;
  }

  public TestJob batchSize(int images) {
    batchSize = images;
    return this;
  }

  TestJob truncatingPrompts() {
    truncatePrompts = true;
    return this;
  }

  TestJob force() {
    rerun = new GenerationSettings.Rerun(true, true);
    return this;
  }

  TestJob leavingFailed() {
    rerun = new GenerationSettings.Rerun(false, false);
    return this;
  }

  public TestJob deadline(Instant instant) {
    deadline = Optional.of(instant);
    return this;
  }

  public TestJob mostFailures(int rows) {
    mostFailures = OptionalInt.of(rows);
    return this;
  }

  public TestJob clock(Clock told) {
    clock = told;
    return this;
  }

  public TestJob runId(String id) {
    runId = id;
    return this;
  }

  public TestJob progress(ImageGeneration.Progress listener) {
    progress = listener;
    return this;
  }

  GenerationSettings settings() {
    return new GenerationSettings(
        new GenerationSettings.Table(table, Optional.empty(), columns, promptTemplate, limit),
        defaults(width, truncatePrompts),
        "paint",
        GenerationSettings.Loading.PLAIN,
        output,
        ImageFormat.PNG,
        pathTemplate,
        packing,
        batchSize,
        partitions,
        DeviceChoice.AUTO,
        Optional.empty(),
        runId,
        rerun,
        deadline,
        mostFailures);
  }

  static GenerationSettings.Defaults defaults(OptionalInt width, boolean truncatePrompts) {
    return new GenerationSettings.Defaults(
        width,
        OptionalInt.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        7,
        truncatePrompts,
        Optional.empty());
  }

  public ImageGeneration.Result run(PaintStudio studio) {
    SparkSession spark = TestSpark.session();
    return ImageGeneration.run(
        spark,
        settings(),
        progress,
        Cluster.of(spark.sparkContext(), DeviceChoice.CPU),
        studio::checkpoint,
        clock,
        System.nanoTime());
  }
}
