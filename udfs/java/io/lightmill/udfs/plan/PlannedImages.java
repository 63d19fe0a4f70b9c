package io.lightmill.udfs.plan;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ManifestRow;
import io.lightmill.udfs.table.RequestRows;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of the plan, one for each requested image. An invalid row has an {@code error_code}, no
 * {@code image_id}, and null for each value that cannot be read. A row whose prompt is blocked has
 * an {@code error_code} and an {@code image_id}, and is not drawn.
 */
public final class PlannedImages {

  public static final String PASSTHROUGH = RequestRows.PASSTHROUGH;

  /** Key of the image object below the output. */
  public static final String KEY = ManifestRow.KEY;

  /** Images with the same key may share a batch; null in rows that are not drawn. */
  public static final String BATCH_KEY = "batch_key";

  /** By {@link ImageCost}; null in rows that are not drawn. */
  public static final String COST = "cost";

  /** Whether an earlier row of the table has the same id. */
  public static final String DUPLICATE = "duplicate";

  /** Whether the row has a negative prompt without effect, since its guidance is off. */
  public static final String IDLE_NEGATIVE_PROMPT = "idle_negative_prompt";

  /** The columns that the manifest has too, but for the request columns. */
  private static final StructType MANIFEST_COLUMNS =
      ManifestColumn.schema(
          ManifestColumns.IMAGE_ID,
          ManifestColumns.ID,
          ManifestColumns.VARIANT,
          ManifestColumns.ERROR_CODE,
          ManifestColumns.ERROR_MESSAGE,
          ManifestColumns.PROMPT_TRUNCATED,
          ManifestColumns.VERDICTS,
          ManifestColumns.POLICY_DIGEST,
          ManifestColumns.REVISES,
          ManifestColumns.ROW_DIGEST);

  private PlannedImages() {}

  public static StructType schema(StructType passthrough) {
    StructType schema = MANIFEST_COLUMNS;
    for (RequestColumn<?> column : requestColumns()) {
      schema = schema.add(column.name(), column.sparkType());
    }
    return schema
        .add(KEY, DataTypes.StringType)
        .add(BATCH_KEY, DataTypes.StringType)
        .add(COST, DataTypes.LongType)
        .add(DUPLICATE, DataTypes.BooleanType)
        .add(IDLE_NEGATIVE_PROMPT, DataTypes.BooleanType)
        .add(PASSTHROUGH, passthrough);
  }

  /** A row of {@link PlanImages} whose values can be read by name. */
  public static Row named(Row planned, StructType schema) {
    Object[] values = new Object[planned.length()];
    Arrays.setAll(values, planned::get);
    return new GenericRowWithSchema(values, schema);
  }

  /** The columns of requests, in the order of the schema. */
  static List<RequestColumn<?>> requestColumns() {
    return RequestColumns.ALL.stream().filter(RequestColumn::inRequest).toList();
  }

  /** The type of the passthrough columns in a schema of planned images. */
  public static StructType passthrough(StructType planned) {
    return (StructType) planned.apply(PASSTHROUGH).dataType();
  }

  /** Whether an earlier row of the table has the same id. */
  public static boolean duplicate(Row planned) {
    return planned.getAs(DUPLICATE);
  }

  /**
   * Whether a request has a negative prompt without effect. A scale of 1 turns classifier-free
   * guidance off, as in diffusers.
   */
  public static boolean idleNegativePrompt(ImageRequest request, ClassifierFreeGuidance guidance) {
    return request.negativePrompt().filter(negative -> !negative.isBlank()).isPresent()
        && !guidance.guides(request);
  }

  /** The request of a valid row. */
  public static ImageRequest request(Row planned) {
    return RequestColumns.request(planned);
  }
}
