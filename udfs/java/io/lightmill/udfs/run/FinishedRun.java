package io.lightmill.udfs.run;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.batch.BatchResults;
import io.lightmill.udfs.history.CurrentState;
import io.lightmill.udfs.history.DeadRuns;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.UncommittedRows;
import io.lightmill.udfs.option.BatchImages;
import io.lightmill.udfs.option.LakehouseOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.report.BuildVersions;
import io.lightmill.udfs.report.ContactSheet;
import io.lightmill.udfs.report.PageRows;
import io.lightmill.udfs.report.RunContactSheet;
import io.lightmill.udfs.report.RunFacts;
import io.lightmill.udfs.report.RunPage;
import io.lightmill.udfs.report.RunRecord;
import io.lightmill.udfs.report.RunReport;
import io.lightmill.udfs.report.RunSummary;
import io.lightmill.udfs.report.SparkEnvironment;
import io.lightmill.udfs.report.StoredRunPage;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Step 4: orphan files are removed; current state, run record, contact sheet, report and the file
 * of the latest run are written. Images and manifest are complete by now, so a failure is logged
 * and listed in the result, and does not fail the run.
 */
final class FinishedRun {

  private static final Logger LOG = LoggerFactory.getLogger(FinishedRun.class);

  private final PreparedRun run;
  private final DrawnRun drawn;
  private final RunSummary summary;
  private final RunRecord record;
  private final List<String> problems = new ArrayList<>();
  private PageRows shownRows;
  private Map<String, RgbImage> sheetImages = Map.of();

  FinishedRun(PreparedRun run, DrawnRun drawn, RunTimes times) {
    this.run = run;
    this.drawn = drawn;
    this.summary =
        new RunSummary(
            drawn.manifest().totals().statuses(),
            drawn.manifest().totals().blank(),
            drawn.manifest().totals().verdicts(),
            times.generate(),
            elapsed(run.hooks().started(), drawn.ended()));
    this.record = record(times);
  }

  static RunResult of(PreparedRun run, PlannedRun plan, DrawnRun drawn, RunTimes times) {
    plan.orphans().sweep(run.lock()::requireRecent);
    DeadRuns.sweep(uncommitted(run), run.reserved(), run.lock()::requireRecent);
    AnsweredRequests.forget(run, drawn.rows());
    HostedRun.refusal(run.checkpoint()).ifPresent(run.listener()::notice);
    String location = Manifest.location(run.output(), run.runId());
    return new FinishedRun(run, drawn, times).written(location);
  }

  private static UncommittedRows uncommitted(PreparedRun run) {
    return new UncommittedRows(run.spark(), run.output(), run.runId());
  }

  RunResult written(String location) {
    attempted("the current state cannot be written", this::storeState);
    mergeTable();
    run.options()
        .find(LakehouseOptions.BATCH_OUTPUT)
        .ifPresent(
            directory ->
                attempted("the batch results cannot be written", output -> storeBatch(directory)));
    Optional<String> stored = attempted("the run record cannot be written", this::storeRecord);
    Optional<String> sheet = Optional.empty();
    Optional<String> page = Optional.empty();
    if (summary.settled() > 0) {
      sheet = attempted("the contact sheet cannot be drawn", this::storeSheet);
      page = attempted("the report cannot be written", this::storePage);
    }
    RunResult result = result(location, stored, sheet, page);
    attempted("the file of the latest run cannot be written", output -> latest(output, result));
    return result(location, stored, sheet, page);
  }

  private RunResult result(
      String location, Optional<String> stored, Optional<String> sheet, Optional<String> page) {
    return new RunResult(
        run.runId(),
        run.spark(),
        drawn.manifest().schema(),
        location,
        summary.in(elapsed(run.hooks().started(), Instant.now())),
        record,
        stored,
        sheet,
        sheet.map(html -> location(RunContactSheet.IMAGE)),
        page,
        List.copyOf(problems));
  }

  /** Another run may read it at any time, so it is replaced at once. */
  private String latest(ImageStore output, RunResult result) {
    RunReport report = result.report(run.options(), run.hooks().started());
    output.put(RunReport.LATEST, report.json(), "application/json");
    return RunReport.LATEST;
  }

  private static double elapsed(Instant from, Instant to) {
    return Duration.between(from, to).toMillis() / 1000.0;
  }

  private String storeBatch(String directory) throws IOException {
    new BatchResults(
            run.output(),
            run.runId(),
            run.options().find(LakehouseOptions.BATCH_IMAGES).orElse(BatchImages.URL),
            new SharedConfiguration(run.spark().sparkContext().hadoopConfiguration()))
        .store(
            Manifest.read(
                run.spark(),
                Manifest.location(run.output(), run.runId()),
                drawn.manifest().schema()),
            directory);
    return directory;
  }

  private void mergeTable() {
    try {
      ManifestMerge.table(run.spark(), run.options())
          .ifPresent(table -> ManifestMerge.merge(run.spark(), run.output(), table));
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      String problem =
          "the manifest table is not up to date (images and manifest are complete), since %s; the next run repeats the merge, or: %s"
              .formatted(
                  String.valueOf(e.getMessage()).lines().findFirst().orElse("").strip(),
                  ManifestMerge.command(run.options()));
      LOG.warn("Run {}: {}", run.runId(), problem, e);
      problems.add(problem);
    }
  }

  private interface Storing {
    String store(ImageStore output) throws IOException;
  }

  private Optional<String> attempted(String problem, Storing storing) {
    try {
      ImageStore output =
          ImageStore.open(run.output(), run.spark().sparkContext().hadoopConfiguration());
      return Optional.of(location(storing.store(output)));
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      LOG.warn("Run {}: {}; images and manifest are complete", run.runId(), problem, e);
      problems.add(problem + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  private String storeState(ImageStore output) throws IOException {
    CurrentState.write(uncommitted(run), run.lock()::requireRecent);
    return CurrentState.KEY;
  }

  private String storeRecord(ImageStore output) {
    output.put(record.key(), record.json(), "application/json");
    return record.key();
  }

  private String storeSheet(ImageStore output) {
    List<Row> rows = shownRows().sheet(ContactSheet.MAX_TILES);
    sheetImages = new RunContactSheet(output, rows).store(facts());
    return RunContactSheet.PAGE;
  }

  private String storePage(ImageStore output) {
    new StoredRunPage(
            output,
            new RunPage.Facts(
                facts(), run.hooks().started(), run.cluster().slots(), summary.imagesPerSecond()),
            shownRows(),
            drawn.rows(),
            sheetImages)
        .store();
    return StoredRunPage.PAGE;
  }

  /** Read once for both pages. */
  private PageRows shownRows() {
    if (shownRows == null) {
      shownRows = PageRows.of(drawn.rows(), summary.counts());
    }
    return shownRows;
  }

  private RunFacts facts() {
    return new RunFacts(
        run.runId(),
        Redaction.location(run.options().get(ModelOptions.CHECKPOINT)),
        summary.counts(),
        summary.verdicts(),
        Duration.between(run.hooks().started(), drawn.ended()));
  }

  private String location(String key) {
    return run.output() + (run.output().endsWith("/") ? "" : "/") + key;
  }

  private RunRecord record(RunTimes times) {
    Instant started = run.hooks().started();
    return new RunRecord(
        run.runId(),
        started,
        drawn.ended(),
        run.options().jobFile(),
        new RunRecord.Checkpoint(
            Redaction.location(run.options().get(ModelOptions.CHECKPOINT)),
            run.checkpoint().model().digest()),
        summary.labelled(),
        summary.blank(),
        drawn.manifest().totals().transformerCalls(),
        run.policy()
            .map(policy -> new RunRecord.Policy(policy.location(), policy.digest()))
            .orElse(null),
        run.checkpoint().loader().checks().stream()
            .map(
                check ->
                    new RunRecord.Check(
                        check.kind().label(), Redaction.location(check.location()), check.digest()))
            .toList(),
        summary.verdicts(),
        new RunRecord.Seconds(
            times.start(),
            times.plan(),
            times.load(),
            times.generate(),
            drawn.manifest().totals().device().total(),
            elapsed(started, drawn.ended())),
        summary.imagesPerSecond(),
        RunRecord.Drawing.of(
            drawn.manifest().totals().device(), drawn.work(), summary.count(ImageStatus.GENERATED)),
        SparkEnvironment.of(run.spark().sparkContext()),
        BuildVersions.byName(),
        HostedRun.requests(run.checkpoint()).orElse(null));
  }
}
