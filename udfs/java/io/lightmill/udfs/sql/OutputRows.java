package io.lightmill.udfs.sql;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max_by;
import static org.apache.spark.sql.functions.struct;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.List;
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
 * all committed runs, so a changed prompt replaces the image before it, and a row that a later
 * table no longer has stays as the last run with it left it. Rows without an id name no image; the
 * current state has those of the newest run.
 *
 * @param newestOnly whether the rows are the current state, and not all rows of the runs
 */
record OutputRows(ManifestSchemas manifests, boolean newestOnly) {

  private static final int NAMED_IN_MESSAGES = 5;
  private static final String NEWEST = "newest";

  /** The columns that rows are told apart and ordered by. */
  private static final Set<String> KEYS = Set.of("id", "variant");

  /**
   * @throws LightmillException with {@code INPUT_INVALID} if the output has no committed run, or
   *     not the one that is named
   */
  static OutputRows of(ReadOptions options, Configuration hadoop) {
    List<CommittedRun> runs = CommittedRun.of(options.output(), hadoop);
    List<CommittedRun> read =
        options.runId().isPresent() ? List.of(run(options.runId().get(), options, runs)) : runs;
    return new OutputRows(
        ManifestSchemas.of(read), options.runId().isEmpty() && !options.allRuns());
  }

  private static CommittedRun run(String runId, ReadOptions options, List<CommittedRun> runs) {
    return runs.stream()
        .filter(run -> run.runId().equals(runId))
        .findFirst()
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.INPUT_INVALID,
                    "output '%s' has no committed run '%s'; its newest are %s"
                        .formatted(
                            options.output(),
                            runId,
                            runs.stream()
                                .limit(NAMED_IN_MESSAGES)
                                .map(CommittedRun::runId)
                                .collect(Collectors.joining(", ")))));
  }

  StructType schema() {
    return manifests.merged();
  }

  /** Length of all manifests. */
  long bytes() {
    return manifests.runs().stream().mapToLong(CommittedRun::bytes).sum();
  }

  /** The rows, with these columns alone. */
  Dataset<Row> select(SparkSession spark, Set<String> columns) {
    Dataset<Row> rows = manifests.rows(spark);
    Column[] selected = columns(columns::contains);
    if (!newestOnly) {
      return rows.select(selected);
    }
    Dataset<Row> newest =
        rows.filter(col("id").isNotNull())
            .groupBy("id", "variant")
            .agg(
                max_by(
                        struct(
                            columns(
                                name -> columns.contains(name) && !KEYS.contains(name), "run_id")),
                        struct("created_at", "run_id"))
                    .as(NEWEST))
            .select("id", "variant", NEWEST + ".*")
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
