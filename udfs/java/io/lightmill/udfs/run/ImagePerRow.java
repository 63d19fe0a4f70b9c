package io.lightmill.udfs.run;

import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.draw.DrawBeside;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.RequestRows;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * One image for each row of a table of any size, beside the columns of the row. Nothing is stored,
 * and the rows stay in their partitions. Equal requests give the same image.
 */
public final class ImagePerRow {

  private ImagePerRow() {}

  /**
   * Checks options and columns and opens the checkpoint, without its weights. Runs no Spark job;
   * the images are drawn when the rows are computed.
   *
   * @param failing whether a row without an image fails the query
   * @return the table with a column {@link DrawBeside#RESULT}, in which a row that cannot be drawn
   *     has an error and no image
   * @throws io.lightmill.pipeline.LightmillException if options, columns or checkpoint cannot be
   *     used, and with {@code CONFIGURATION_INVALID} if only generating stages request GPUs
   */
  public static Dataset<Row> of(
      SparkSession spark, Dataset<Row> table, GenerationOptions options, boolean failing) {
    HostedRun.refuseWithoutOutput(options);
    RunHooks hooks = RunHooks.of(spark, options, Instant.now());
    hooks.cluster().requireGpusInAllStages();
    PromptColumns assigned =
        PromptColumns.assign(table, PreparedRun.input(Optional.of(table), options), List.of());
    PromptColumns columns =
        new PromptColumns(assigned.sources(), assigned.size(), assigned.template(), List.of());
    JobCheckpoint checkpoint = hooks.checkpoint().get();
    Dataset<Row> requests = RequestRows.beside(table, columns);
    DrawBeside drawing =
        new DrawBeside(
            RequestedImages.planning(
                columns,
                options,
                checkpoint,
                PolicyFile.of(options, spark.sparkContext().hadoopConfiguration()),
                Optional.empty()),
            PlannedImages.schema(new StructType()),
            UnstoredImages.drawing(spark, options, checkpoint, hooks),
            failing);
    return requests.mapPartitions(drawing, Encoders.row(DrawBeside.schema(requests.schema())));
  }
}
