package io.lightmill.udfs.plan;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.udfs.table.RequestRows;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of the plan: one per image asked for. What an invalid row leaves open is null; it has an
 * {@code error_code} and no {@code image_id}.
 */
public final class PlannedImages {

  public static final String PASSTHROUGH = RequestRows.PASSTHROUGH;

  /** Key of the image object below the output. */
  public static final String KEY = "key";

  /** Images of the same key may share a batch; null in rows that need no drawing. */
  public static final String BATCH_KEY = "batch_key";

  /** By {@link ImageCost}; null in rows that need no drawing. */
  public static final String COST = "cost";

  /** Whether an earlier row of the table has the same id. */
  static final String DUPLICATE = "duplicate";

  /** Whether the row gives a negative prompt that its guidance leaves without effect. */
  static final String IDLE_NEGATIVE_PROMPT = "idle_negative_prompt";

  /** What the plan knows of an image, under the names of the manifest. */
  static final StructType COLUMNS =
      new StructType()
          .add("image_id", DataTypes.StringType)
          .add("id", DataTypes.StringType)
          .add("variant", DataTypes.IntegerType)
          .add("error_code", DataTypes.StringType)
          .add("error_message", DataTypes.StringType)
          .add("width", DataTypes.IntegerType)
          .add("height", DataTypes.IntegerType)
          .add("prompt", DataTypes.StringType)
          .add("negative_prompt", DataTypes.StringType)
          .add("num_inference_steps", DataTypes.IntegerType)
          .add("guidance_scale", DataTypes.DoubleType)
          .add("true_cfg_scale", DataTypes.DoubleType)
          .add("max_sequence_length", DataTypes.IntegerType)
          .add("seed", DataTypes.LongType)
          .add("prompt_truncated", DataTypes.BooleanType)
          .add("lora", DataTypes.StringType);

  private PlannedImages() {}

  public static StructType schema(StructType passthrough) {
    return COLUMNS
        .add(KEY, DataTypes.StringType)
        .add(BATCH_KEY, DataTypes.StringType)
        .add(COST, DataTypes.LongType)
        .add(DUPLICATE, DataTypes.BooleanType)
        .add(IDLE_NEGATIVE_PROMPT, DataTypes.BooleanType)
        .add(PASSTHROUGH, passthrough);
  }

  /** The type of the passthrough columns in a schema of planned images. */
  public static StructType passthrough(StructType planned) {
    return (StructType) planned.apply(PASSTHROUGH).dataType();
  }

  /** The request of a valid row. */
  public static ImageRequest request(Row planned) {
    String lora = planned.getAs("lora");
    return new ImageRequest(
            planned.getAs("prompt"),
            Optional.ofNullable(planned.getAs("negative_prompt")),
            planned.<Integer>getAs("width"),
            planned.<Integer>getAs("height"),
            planned.<Integer>getAs("num_inference_steps"),
            planned.<Double>getAs("guidance_scale"),
            planned.<Double>getAs("true_cfg_scale"),
            planned.<Integer>getAs("max_sequence_length"),
            planned.<Long>getAs("seed"))
        .with(lora == null ? LoraBlend.NONE : LoraBlend.parse(lora));
  }
}
