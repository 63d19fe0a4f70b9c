package io.lightmill.udfs.run;

import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.ImageKeys;
import io.lightmill.udfs.plan.PlanImages;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.plan.RowFunction;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RequestRules;
import io.lightmill.udfs.table.RowDefaults;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** The images that the rows of a table request, under the options of a run. */
final class RequestedImages {

  private RequestedImages() {}

  /** Rows of {@link PlannedImages}: checked, with identity, seed and path. */
  static Dataset<Row> of(
      PromptRows table,
      GenerationOptions options,
      JobCheckpoint checkpoint,
      Optional<PromptPolicy> policy,
      Optional<ShardFormat> shards) {
    Dataset<Row> requests = RequestRows.of(table.rows(), table.columns());
    PlanImages planning = planning(table.columns(), options, checkpoint, policy, shards);
    return new RowFunction(
            planning::images, PlannedImages.schema(RequestRows.passthrough(requests.schema())))
        .of(requests);
  }

  /** Columns that may have no values. */
  private static Set<String> refused(GenerationOptions options, JobCheckpoint checkpoint) {
    return checkpoint.model().hosted() && UnsentColumns.refused(options)
        ? UnsentColumns.names()
        : Set.of();
  }

  /** Plans the images of one row. */
  static PlanImages planning(
      PromptColumns columns,
      GenerationOptions options,
      JobCheckpoint checkpoint,
      Optional<PromptPolicy> policy,
      Optional<ShardFormat> shards) {
    return new PlanImages(
        RequestRules.of(
            checkpoint.limits(),
            checkpoint.model().adapters().keySet(),
            new RowDefaults(
                options.columnDefaults(checkpoint.limits()),
                options.get(Options.SEED),
                options.get(Options.TRUNCATE_PROMPTS),
                refused(options, checkpoint))),
        columns.template().orElse(null),
        columns.sources().containsKey(RequestColumns.ID),
        ImageFiles.identity(checkpoint.model(), options),
        new ImageKeys(
            options.find(Options.PATH_TEMPLATE).orElse(PathTemplate.STANDARD),
            columns,
            options.get(Options.FORMAT),
            shards),
        policy.orElse(null),
        checkpoint.loader());
  }
}
