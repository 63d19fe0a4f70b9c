package io.lightmill.udfs.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.draw.DrawBeside;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.run.ImagePerRow;
import io.lightmill.udfs.table.PromptColumns;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.image.ImageSchema;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A Transformer for {@code spark.ml} Pipelines that draws one image for each row. It keeps the rows
 * and their columns, and adds:
 *
 * <ul>
 *   <li>{@link #outputCol}: the image, by {@link #outputType} as Spark's {@code image} struct
 *       (8-bit BGR, the image id as origin) or as the bytes of an image file; null without an image
 *   <li>{@link #imageIdCol}: the identity of the image, the same as in a manifest
 *   <li>{@link #statusCol}: {@code generated}, {@code blocked}, {@code invalid} or {@code failed}
 *   <li>{@link #errorCol}: why there is no image; null with one
 * </ul>
 *
 * <p>All other Params are options of a run: {@link OptionParam}. Columns such as {@code seed} and
 * {@code width} are read as those of a prompt table. Equal requests give equal images, in whatever
 * partition, and after the Transformer was saved and loaded. Nothing is stored, so each action
 * draws the images again: cache or write the rows.
 */
public final class ImageGenerator extends Transformer implements DefaultParamsWritable {

  private static final long serialVersionUID = 1L;

  private static final List<String> TYPES = List.of("image", "bytes");
  private static final List<String> HANDLING = List.of("keep", "skip", "error");

  private final String uid;
  private final Param<String> promptCol;
  private final Param<String> outputCol;
  private final Param<String> outputType;
  private final Param<String> imageIdCol;
  private final Param<String> statusCol;
  private final Param<String> errorCol;
  private final Param<String> handleInvalid;
  private final OptionParam[] options;
  private final Param<?>[] params;

  /** With a uid of its own. */
  public ImageGenerator() {
    this(Identifiable$.MODULE$.randomUID("imageGenerator"));
  }

  /** With this uid, as {@code spark.ml} loads it. */
  public ImageGenerator(String uid) {
    this.uid = uid; // first, since Params ask for it
    this.promptCol = column("promptCol", "column of the prompts", RequestColumns.PROMPT.name());
    this.outputCol = column("outputCol", "column of the images", "image");
    this.outputType =
        choice("outputType", "image for Spark's image struct, bytes for the image file", TYPES);
    this.imageIdCol =
        column("imageIdCol", "column of the image ids", ManifestColumns.IMAGE_ID.name());
    this.statusCol = column("statusCol", "column of the statuses", "image_status");
    this.errorCol = column("errorCol", "column of the error messages", "image_error");
    this.handleInvalid =
        choice(
            "handleInvalid",
            "what follows from a row without an image: keep, its image is null; skip, it is left"
                + " out; error, the query fails",
            HANDLING);
    this.options =
        OptionParam.options().stream()
            .map(option -> new OptionParam(this, option))
            .toArray(OptionParam[]::new);
    this.params =
        Stream.of(
                Stream.of(promptCol, outputCol, outputType, imageIdCol, statusCol, errorCol),
                Stream.of(handleInvalid),
                Arrays.stream(options))
            .flatMap(each -> each)
            .toArray(Param<?>[]::new);
  }

  /** Reads a saved Transformer; {@code PipelineModel.load} calls it. */
  public static MLReader<ImageGenerator> read() {
    return new DefaultParamsReader<>();
  }

  /** A saved Transformer. */
  public static ImageGenerator load(String path) {
    return read().load(path);
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public Param<?>[] params() {
    return params.clone();
  }

  public Param<String> promptCol() {
    return promptCol;
  }

  public Param<String> outputCol() {
    return outputCol;
  }

  public Param<String> outputType() {
    return outputType;
  }

  public Param<String> imageIdCol() {
    return imageIdCol;
  }

  public Param<String> statusCol() {
    return statusCol;
  }

  public Param<String> errorCol() {
    return errorCol;
  }

  public Param<String> handleInvalid() {
    return handleInvalid;
  }

  /**
   * Sets a Param by its name, such as {@code promptCol} or {@code numInferenceSteps}.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for an unknown name or a value
   *     that the option does not take
   */
  public ImageGenerator param(String name, Object value) {
    Param<?> param =
        Arrays.stream(params)
            .filter(each -> each.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    invalid(
                        "ImageGenerator has no param '%s'; explainParams() lists them"
                            .formatted(name)));
    @SuppressWarnings("unchecked") // validated by the Param
    Param<Object> typed = (Param<Object>) param;
    set(typed, value);
    return this;
  }

  @Override
  public ImageGenerator copy(ParamMap extra) {
    return defaultCopy(extra);
  }

  /**
   * Checks Params and columns without opening the checkpoint.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} or {@code INPUT_INVALID}
   */
  @Override
  public StructType transformSchema(StructType schema) {
    GenerationOptions parsed = parsed();
    parsed.requireChecks();
    return new GeneratorColumns(read(parsed), parsed.has(Options.PROMPT_TEMPLATE), added())
        .schema(schema);
  }

  /** The rows with their images, which are drawn when the rows are computed. */
  @Override
  public Dataset<Row> transform(Dataset<?> rows) {
    transformSchema(rows.schema());
    boolean failing = $(handleInvalid).equals("error");
    Dataset<Row> drawn = ImagePerRow.of(rows.sparkSession(), rows.toDF(), parsed(), failing);
    Dataset<Row> kept =
        $(handleInvalid).equals("skip")
            ? drawn.filter(result(DrawBeside.IMAGE).isNotNull())
            : drawn;
    Column file = result(DrawBeside.IMAGE);
    Column imageId = result(ManifestColumns.IMAGE_ID.name());
    Column[] columns =
        Stream.concat(
                Arrays.stream(rows.columns()).map(name -> col(QuotingUtils.quoteIdentifier(name))),
                Stream.of(
                    (isStruct()
                            ? udf(
                                    (UDF2<byte[], String, Row>) ImageStruct::of,
                                    ImageSchema.columnSchema())
                                .apply(file, imageId)
                            : file)
                        .as($(outputCol)),
                    imageId.as($(imageIdCol)),
                    result(ManifestColumns.STATUS.name()).as($(statusCol)),
                    result(ManifestColumns.ERROR_MESSAGE.name()).as($(errorCol))))
            .toArray(Column[]::new);
    return kept.select(columns);
  }

  private static Column result(String field) {
    return col(DrawBeside.RESULT).getField(field);
  }

  private Map<String, DataType> added() {
    Map<String, DataType> added = new LinkedHashMap<>();
    added.put($(outputCol), isStruct() ? ImageSchema.columnSchema() : DataTypes.BinaryType);
    for (Param<String> column : List.of(imageIdCol, statusCol, errorCol)) {
      if (added.put($(column), DataTypes.StringType) != null) {
        throw invalid(
            "ImageGenerator adds two columns named '%s'; give %s another name"
                .formatted($(column), column.name()));
      }
    }
    return added;
  }

  private boolean isStruct() {
    return $(outputType).equals(TYPES.get(0));
  }

  private List<String> read(GenerationOptions parsed) {
    return parsed
        .find(Options.PROMPT_TEMPLATE)
        .map(template -> ColumnTemplate.parse(PromptColumns.TEMPLATE, template).columns())
        .orElseGet(() -> List.of($(promptCol)));
  }

  private GenerationOptions parsed() {
    Map<String, String> given = new LinkedHashMap<>();
    for (OptionParam option : options) {
      if (isSet(option)) {
        given.putAll(option.entries($(option)));
      }
    }
    if (!given.containsKey(Options.PROMPT_TEMPLATE.key())) {
      given.put(Options.COLUMN + "." + RequestColumns.PROMPT, $(promptCol));
    }
    return GenerationOptions.parse(given);
  }

  private Param<String> column(String name, String doc, String fallback) {
    Param<String> param = new Param<>(this, name, doc, value -> !value.isBlank());
    setDefault(param, fallback);
    return param;
  }

  private Param<String> choice(String name, String doc, List<String> values) {
    Param<String> param = new Param<>(this, name, doc, values::contains);
    setDefault(param, values.get(0));
    return param;
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
