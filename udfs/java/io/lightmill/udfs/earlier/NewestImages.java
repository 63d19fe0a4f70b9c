package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.UntypedText;
import io.lightmill.udfs.history.CommittedRun;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.store.PathTemplate;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The images of the newest manifest whose plan follows from their rows: those with a digest.
 *
 * @param spark that reads single columns of the manifest
 * @param passthrough columns of the table that the manifest repeats
 */
public record NewestImages(SparkSession spark, CommittedRun run, StructType passthrough) {

  /** Bytes of a manifest that a task reads if it reads all columns: some 30,000 rows. */
  private static final String TASK_BYTES = Integer.toString(4 << 20);

  /**
   * Opens a manifest.
   *
   * @return empty if the manifest is of an older release, or does not have the values of the table:
   *     in a CSV file, 1.50 is a text, and the manifest may have the number 1.5
   */
  public static Optional<NewestImages> of(
      SparkSession spark, CommittedRun run, StructType passthrough) {
    boolean fits =
        Arrays.stream(Manifest.COLUMNS.fields()).allMatch(f -> typeIn(run, f).equals(f.dataType()))
            && Arrays.stream(passthrough.fields()).allMatch(f -> isKept(f, typeIn(run, f)));
    return fits ? Optional.of(new NewestImages(spark, run, passthrough)) : Optional.empty();
  }

  /** Their rows. */
  Dataset<Row> rows() {
    SparkSession reading = ((org.apache.spark.sql.classic.SparkSession) spark).cloneSession();
    reading.conf().set("spark.sql.files.maxPartitionBytes", TASK_BYTES);
    return Manifest.read(reading, run.location(), run.schema())
        .filter(ManifestColumns.ROW_DIGEST.col().isNotNull());
  }

  /**
   * Some columns of all rows of the manifest, also those without a digest. Spark chooses the number
   * of tasks, as few as keep all cores busy: each task reads the whole footer, which has an entry
   * for each column of each row group.
   */
  Dataset<Row> columns(String... names) {
    StructType schema = new StructType();
    for (String name : names) {
      schema = schema.add(run.schema().apply(name));
    }
    return Manifest.read(spark, run.location(), schema);
  }

  private static DataType typeIn(CommittedRun run, StructField field) {
    return run.schema().getFieldIndex(field.name()).isEmpty()
        ? DataTypes.NullType
        : run.schema().apply(field.name()).dataType();
  }

  /** Whether the text or value of the table can be told from that of the manifest. */
  private static boolean isKept(StructField field, DataType type) {
    return type.catalogString().equals(field.dataType().catalogString())
        || (UntypedText.isMarked(field) && type.equals(DataTypes.LongType));
  }

  /**
   * As rows of {@link PlannedImages} with {@link EarlierImages#EARLIER}.
   *
   * @param kept condition for rows of the manifest
   */
  Dataset<Row> planned(Column kept, ClassifierFreeGuidance guidance) {
    Column path = ManifestColumns.PATH.col();
    Column member = ManifestColumns.MEMBER.col();
    Column key =
        when(member.isNull(), path).otherwise(concat(lit(PathTemplate.DIRECTORY + "/"), member));
    Set<String> stored = new HashSet<>(Arrays.asList(Manifest.COLUMNS.fieldNames()));
    stored.remove(PlannedImages.COST); // of the plan; the manifest's is a price
    return rows()
        .filter(kept)
        .select(
            Stream.concat(
                    Arrays.stream(PlannedImages.schema(passthrough).fields())
                        .map(
                            field ->
                                switch (field.name()) {
                                  case PlannedImages.KEY -> key.as(field.name());
                                  case PlannedImages.DUPLICATE -> lit(false).as(field.name());
                                  case PlannedImages.IDLE_NEGATIVE_PROMPT ->
                                      idle(guidance).as(field.name());
                                  case PlannedImages.PASSTHROUGH ->
                                      struct(UntypedText.cast(passthrough)).as(field.name());
                                  default ->
                                      stored.contains(field.name())
                                          ? col(field.name())
                                          : lit(null).cast(field.dataType()).as(field.name());
                                }),
                    Stream.of(struct(earlier()).as(EarlierImages.EARLIER)))
                .toArray(Column[]::new));
  }

  private static Column[] earlier() {
    return EarlierImages.COLUMNS.stream()
        .map(
            column ->
                column.equals(ManifestColumns.STATUS)
                    ? lit(ImageStatus.REUSED.label()).as(column.name())
                    : column.col())
        .toArray(Column[]::new);
  }

  private static Column idle(ClassifierFreeGuidance guidance) {
    UDF3<String, Double, Double, Boolean> idle =
        (negative, guidanceScale, trueScale) ->
            SettledRows.isIdle(negative, guidanceScale, trueScale, guidance);
    Column negative = col(RequestColumns.NEGATIVE_PROMPT.name());
    return when(
            negative.isNotNull(),
            udf(idle, DataTypes.BooleanType)
                .apply(
                    negative,
                    col(RequestColumns.GUIDANCE_SCALE.name()),
                    col(RequestColumns.TRUE_CFG_SCALE.name())))
        .otherwise(false);
  }
}
