package io.lightmill.udfs.history;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.max_by;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.RunAttempt;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.types.StructType;

/**
 * The manifest rows of an output. Its current state has one row for each requested image, which is
 * a row of a prompt table and a variant of it: {@code (id, variant)}. That row is the newest over
 * all committed runs, so a changed prompt replaces the image before it, and a row that was removed
 * from the table stays as the last run with it left it. If the newest row has no image, since its
 * run failed to draw it or was stopped, and an older row has that same image ({@code image_id}),
 * the newest of these rows is taken, unless the image was blocked since. Rows without an id cannot
 * be identified; the current state has those of the newest run.
 *
 * @param newestOnly whether the rows are the current state, and not all rows of the runs
 */
public record OutputRows(ManifestSchemas manifests, boolean newestOnly) {

  private static final int NAMED_IN_MESSAGES = 5;
  private static final String AGE = "age";
  private static final String ROW = "row";

  /** Columns that identify a requested image. */
  private static final Set<String> KEYS = Set.of("id", "variant");

  private static final String BLOCKED = ImageStatus.BLOCKED.label();

  /** A later failure does not undo these. */
  private static final Object[] DECIDED = {
    ImageStatus.GENERATED.label(), ImageStatus.REUSED.label(), BLOCKED
  };

  /**
   * Reads a listing and footers, and runs no Spark job.
   *
   * @param runId of the one run to read; empty for all runs
   * @param newestOnly whether the rows are the current state, and not all rows of the runs
   * @throws LightmillException with {@code INPUT_INVALID} if the output has no committed run, or
   *     not the one that is named
   */
  public static OutputRows of(
      String output, Optional<String> runId, boolean newestOnly, Configuration hadoop) {
    List<CommittedRun> runs = CommittedRun.of(output, hadoop);
    List<CommittedRun> read = runId.map(id -> List.of(run(id, output, runs))).orElse(runs);
    return new OutputRows(ManifestSchemas.of(output, read, hadoop), newestOnly);
  }

  private static CommittedRun run(String runId, String output, List<CommittedRun> runs) {
    return runs.stream()
        .filter(
            run -> run.runId().equals(runId) || RunAttempt.of(run.runId()).runId().equals(runId))
        .findFirst()
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.INPUT_INVALID,
                    "output '%s' has no committed run '%s'; its newest are %s"
                        .formatted(
                            output,
                            runId,
                            runs.stream()
                                .limit(NAMED_IN_MESSAGES)
                                .map(CommittedRun::runId)
                                .collect(Collectors.joining(", ")))));
  }

  public StructType schema() {
    return manifests.merged();
  }

  /** Length of all manifests. */
  public long bytes() {
    return manifests.runs().stream().mapToLong(CommittedRun::bytes).sum();
  }

  /** The rows with only these columns. */
  public Dataset<Row> select(SparkSession spark, Set<String> columns) {
    Dataset<Row> rows = manifests.rows(spark);
    Column[] selected = columns(columns::contains);
    if (!newestOnly) {
      return rows.select(selected);
    }
    Column values =
        struct(columns(name -> columns.contains(name) && !KEYS.contains(name), "run_id"));
    Column age = struct("created_at", "run_id");
    Column decided = when(col("status").isin(DECIDED), age);
    Column row =
        when(max_by(col("status"), decided).equalTo(BLOCKED), max_by(values, age))
            .otherwise(coalesce(max_by(values, decided), max_by(values, age)));
    Dataset<Row> newest =
        rows.filter(col("id").isNotNull())
            .repartition(col("id"), col("variant")) // both groupings share this one shuffle
            .groupBy("id", "variant", "image_id")
            .agg(max(age).as(AGE), row.as(ROW))
            .groupBy("id", "variant")
            .agg(max_by(col(ROW), col(AGE)).as(ROW))
            .select("id", "variant", ROW + ".*")
            .select(selected);
    String newestRun = manifests.runs().get(0).runId();
    Dataset<Row> unnamed =
        rows.filter(col("id").isNull().and(col("run_id").equalTo(newestRun))).select(selected);
    return newest.union(unnamed);
  }

  private Column[] columns(Predicate<String> included, String... more) {
    return Stream.concat(
            Stream.of(more).filter(included.negate()),
            Stream.of(schema().fieldNames()).filter(included))
        .map(name -> col(QuotingUtils.quoteIdentifier(name)))
        .toArray(Column[]::new);
  }
}
