package io.lightmill.udfs.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.draw.UnstoredDrawing;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.plan.PlanImages;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RequestRows;
import java.io.Serializable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Draws the image of one prompt on an executor. It is the same image as for a row of a table whose
 * only column is {@code prompt}.
 */
public final class OneImage implements Serializable {

  private static final long serialVersionUID = 1L;
  private static final JsonMapper JSON = new JsonMapper();
  private static final String PROMPT = RequestColumns.PROMPT.name();

  private final PlanImages planning;
  private final UnstoredDrawing drawing;
  private final StructType requests;
  private final StructType planned;

  private OneImage(
      PlanImages planning, UnstoredDrawing drawing, StructType requests, StructType planned) {
    this.planning = planning;
    this.drawing = drawing;
    this.requests = requests;
    this.planned = planned;
  }

  /**
   * Opens the checkpoint that the options name, without its weights.
   *
   * @throws LightmillException if checkpoint or options cannot be used, and with {@code
   *     CONFIGURATION_INVALID} if only generating stages request GPUs, so that the tasks of other
   *     stages have none
   */
  public static OneImage of(SparkSession spark, GenerationOptions options) {
    HostedRun.refuseWithoutOutput(options);
    return of(spark, options, RunHooks.of(spark, options, Instant.now()));
  }

  static OneImage of(SparkSession spark, GenerationOptions options, RunHooks hooks) {
    hooks.cluster().requireGpusInAllStages();
    StructType prompt = new StructType().add(PROMPT, DataTypes.StringType);
    Dataset<Row> none = spark.createDataFrame(List.of(), prompt);
    PromptRows table = PromptSchema.open(spark, Optional.of(none), options);
    JobCheckpoint checkpoint = hooks.checkpoint().get();
    StructType requests = RequestRows.of(none, table.columns()).schema();
    return new OneImage(
        RequestedImages.planning(
            table.columns(),
            options,
            checkpoint,
            PolicyFile.of(options, spark.sparkContext().hadoopConfiguration()),
            Optional.empty()),
        UnstoredImages.drawing(spark, options, checkpoint, hooks),
        requests,
        PlannedImages.schema(RequestRows.passthrough(requests)));
  }

  /**
   * The bytes of the image.
   *
   * @throws LightmillException if the prompt cannot be drawn
   */
  public byte[] draw(String prompt) {
    Row image = PlannedImages.named(planning.call(request(prompt)).next(), planned);
    String code = ManifestColumns.ERROR_CODE.of(image);
    if (code != null) {
      throw new LightmillException(
          ErrorCode.valueOf(code),
          "prompt '%s' cannot be drawn: %s"
              .formatted(prompt, ManifestColumns.ERROR_MESSAGE.<String>of(image)));
    }
    return drawing.one(PlannedImages.request(image));
  }

  /** The prompt as a row of {@link RequestRows} of a table without ids. */
  private Row request(String prompt) {
    Map<String, Object> values =
        Map.of(
            RequestRows.ID,
            RequestRows.derivedId(json(prompt)),
            RequestRows.OCCURRENCE,
            1,
            PROMPT,
            prompt);
    return row(requests, values);
  }

  private static Row row(StructType schema, Map<String, Object> values) {
    Object[] fields = new Object[schema.length()];
    for (int i = 0; i < fields.length; i++) {
      StructField field = schema.fields()[i];
      fields[i] =
          field.dataType() instanceof StructType struct
              ? row(struct, Map.of(PROMPT, values.get(PROMPT)))
              : values.get(field.name());
    }
    return new GenericRowWithSchema(fields, schema);
  }

  private static String json(String prompt) {
    try {
      return JSON.writeValueAsString(Map.of(PROMPT, prompt));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("text always has a JSON form", e);
    }
  }
}
