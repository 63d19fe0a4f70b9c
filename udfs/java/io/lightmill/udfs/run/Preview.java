package io.lightmill.udfs.run;

import static org.apache.spark.sql.functions.col;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.plan.StratifiedSample;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.types.StructType;

/**
 * A sample of the images that a run would draw, drawn into a directory of its own: the same images,
 * with the same identities and seeds, as the run draws. The sample is the same each time; it has
 * images of all sizes, numbers of steps, adapters, and values of a column, as far as its size
 * allows.
 *
 * @param images maximum number
 * @param stratify column of the table; empty for none
 * @param directory for the sample; empty for a temporary one on this machine
 */
public record Preview(int images, Optional<String> stratify, Optional<String> directory) {

  /** For the plan of the sample: the run that draws it repeats the notices. */
  private static final RunListener SILENT =
      new RunListener() {
        @Override
        public void notice(String sentence) {
          // the run repeats it
        }
      };

  private static final List<String> STRATA =
      List.of(
          RequestColumns.WIDTH.name(),
          RequestColumns.HEIGHT.name(),
          RequestColumns.NUM_INFERENCE_STEPS.name(),
          RequestColumns.LORA.name());

  RunResult drawn(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      RunListener listener,
      RunHooks hooks) {
    GenerationOptions named = options.named(hooks.started());
    String output = output(named, hooks);
    RunHooks drawing;
    try (DryPlan plan = DryPlan.of(spark, prompts, named, SILENT, hooks)) {
      if (plan.images().toDraw() == 0) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "there is nothing to preview: of %d images none is to be drawn; 'lightmill plan' says why"
                .formatted(plan.images().requested()));
      }
      Dataset<Row> planned = plan.images().images().drop(EarlierImages.EARLIER);
      List<Row> chosen =
          StratifiedSample.of(
              planned.filter(col(PlannedImages.BATCH_KEY).isNotNull()),
              strata(planned.schema()),
              images);
      drawing =
          hooks.with(
              plan.checkpoint(), requested -> spark.createDataFrame(chosen, requested.schema()));
    }
    return GenerationRun.execute(
        spark,
        prompts,
        named
            .with(Options.OUTPUT_DIRECTORY, output)
            .without(Options.SINK)
            .without(Options.SHARD_SIZE)
            .without(ModelOptions.PARTITIONS),
        listener,
        drawing);
  }

  private String output(GenerationOptions options, RunHooks hooks) {
    if (directory.isEmpty() && !hooks.cluster().local()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "a preview on a cluster needs a directory that all executors can write; give"
              + " --preview-output");
    }
    String output = directory.orElseGet(Preview::temporary);
    if (output.equals(options.get(Options.OUTPUT_DIRECTORY))) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the preview would be drawn into the output '%s'; give --preview-output another directory"
              .formatted(output));
    }
    return output;
  }

  private static String temporary() {
    try {
      return Files.createTempDirectory("lightmill-preview-").toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Column> strata(StructType planned) {
    List<Column> strata = new ArrayList<>();
    STRATA.forEach(name -> strata.add(col(name)));
    stratify.ifPresent(name -> strata.add(column(name, planned)));
    return strata;
  }

  /** A column of the table, or one that requests have. */
  private static Column column(String name, StructType planned) {
    StructType passthrough = PlannedImages.passthrough(planned);
    if (Arrays.asList(passthrough.fieldNames()).contains(name)) {
      return col(PlannedImages.PASSTHROUGH + "." + QuotingUtils.quoteIdentifier(name));
    }
    if (ManifestColumns.ALL.stream().anyMatch(column -> column.name().equals(name))
        && Arrays.asList(planned.fieldNames()).contains(name)) {
      return col(name);
    }
    throw new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "--stratify names the column '%s', which the prompt table does not have; it has %s"
            .formatted(name, String.join(", ", passthrough.fieldNames())));
  }
}
