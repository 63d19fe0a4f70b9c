package io.lightmill.udfs.run;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.earlier.NewestImages;
import io.lightmill.udfs.earlier.Rerun;
import io.lightmill.udfs.earlier.UnchangedRows;
import io.lightmill.udfs.history.CommittedRun;
import io.lightmill.udfs.plan.MaterializedRows;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.plan.SettledImages;
import io.lightmill.udfs.shard.Packing;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RowDigests;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The images of a table, with what earlier runs have done about them.
 *
 * @param rows of {@link PlannedImages} with {@link EarlierImages#EARLIER}; materialized
 * @param settled the images of unchanged rows, which are not among the others
 */
record MarkedImages(Dataset<Row> rows, Optional<SettledImages> settled) {

  static MarkedImages of(PreparedRun run, Optional<CommittedRun> newest, Resources open) {
    return new Marking(run, open).images(newest);
  }

  private record Marking(PreparedRun run, Resources open) {

    MarkedImages images(Optional<CommittedRun> newest) {
      Rerun rerun = PlannedRun.rerun(run.options(), run.checkpoint(), run.runId());
      EarlierImages earlier = new EarlierImages(run.spark(), run.output(), rerun);
      boolean hosted = rerun.hosted().isPresent(); // whose images are not reproducible
      String plan = PlanFingerprint.of(run);
      Dataset<Row> rows = run.table().rows();
      Dataset<Row> table = hosted ? rows : RowDigests.beside(rows, plan);
      return newest
          .filter(it -> !hosted && !rerun.force() && it.rows() >= run.hooks().manyRows())
          .filter(it -> it.plan().equals(Optional.of(plan)))
          .flatMap(it -> NewestImages.of(run.spark(), it, run.table().passthrough()))
          .map(images -> changed(images, kept(table), earlier))
          .orElseGet(() -> all(table, earlier));
    }

    private MarkedImages all(Dataset<Row> table, EarlierImages earlier) {
      Dataset<Row> requested = run.hooks().chosen().apply(requested(table));
      Dataset<Row> rows = earlier.lookedFor() ? kept(requested) : requested;
      return new MarkedImages(kept(earlier.marked(rows)), Optional.empty());
    }

    /** Plans the rows that are not as in the newest run. */
    private MarkedImages changed(NewestImages newest, Dataset<Row> table, EarlierImages earlier) {
      Dataset<Row> objects = kept(earlier.objects());
      return UnchangedRows.of(table, newest, objects)
          .map(
              unchanged -> {
                Dataset<Row> others = kept(requested(unchanged.others(table)));
                ClassifierFreeGuidance guidance = run.checkpoint().limits().guidance();
                return new MarkedImages(
                    kept(earlier.markedFew(others, objects)),
                    Optional.of(unchanged.images(others, guidance)));
              })
          .orElseGet(() -> all(table, earlier));
    }

    private Dataset<Row> requested(Dataset<Row> table) {
      return RequestedImages.of(
          new PromptRows(table, run.table().columns(), List.of()),
          run.options(),
          run.checkpoint(),
          run.policy(),
          run.packing().map(Packing::format));
    }

    private Dataset<Row> kept(Dataset<Row> rows) {
      return open.add(MaterializedRows.of(rows, run.cluster(), run.output(), run.runId())).rows();
    }
  }
}
