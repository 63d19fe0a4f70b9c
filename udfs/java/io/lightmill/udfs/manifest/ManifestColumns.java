package io.lightmill.udfs.manifest;

import static io.lightmill.udfs.manifest.ManifestValues.ofScreened;
import static io.lightmill.udfs.manifest.ManifestValues.ofStored;
import static io.lightmill.udfs.manifest.ManifestValues.ofVerdict;

import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.VerdictCounts;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.types.DataTypes;

/**
 * The registry of the manifest's own columns. A request column that is a part of requests is one of
 * them by itself.
 */
public final class ManifestColumns {

  private static final Set<RequestColumn<?>> SENT_TO_HOSTED =
      Set.of(RequestColumns.ID, RequestColumns.PROMPT, RequestColumns.WIDTH, RequestColumns.HEIGHT);

  /** Null in invalid rows. */
  public static final ManifestColumn IMAGE_ID =
      ManifestColumn.planned("image_id", DataTypes.StringType);

  public static final ManifestColumn ID = requested(RequestColumns.ID);

  /** Number of the image among those of its table row, from 0. */
  public static final ManifestColumn VARIANT =
      ManifestColumn.planned("variant", DataTypes.IntegerType);

  /** A label of {@link io.lightmill.udfs.ImageStatus}. */
  public static final ManifestColumn STATUS =
      ManifestColumn.ofRun("status", DataTypes.StringType, row -> row.outcome().status().label());

  public static final ManifestColumn ERROR_CODE =
      ManifestColumn.ofRun("error_code", DataTypes.StringType, row -> row.outcome().errorCode());

  public static final ManifestColumn ERROR_MESSAGE =
      ManifestColumn.ofRun(
          "error_message", DataTypes.StringType, row -> row.outcome().errorMessage());

  /** {@code blocked} or {@code flagged}, by the verdict that decides; null if there is none. */
  public static final ManifestColumn VERDICT =
      ManifestColumn.ofRun(
          "verdict",
          DataTypes.StringType,
          ofVerdict(verdict -> VerdictCounts.verdictOf(verdict.action())));

  /** A label of {@link Verdict.Stage}. */
  public static final ManifestColumn VERDICT_STAGE =
      ManifestColumn.ofRun(
          "verdict_stage", DataTypes.StringType, ofVerdict(verdict -> verdict.stage().label()));

  public static final ManifestColumn VERDICT_CATEGORY =
      ManifestColumn.ofRun("verdict_category", DataTypes.StringType, ofVerdict(Verdict::category));

  /** A label of {@link Verdict.Severity}. */
  public static final ManifestColumn VERDICT_SEVERITY =
      ManifestColumn.ofRun(
          "verdict_severity",
          DataTypes.StringType,
          ofVerdict(verdict -> verdict.severity().label()));

  /** Rule of the policy, or label of the classifier. */
  public static final ManifestColumn VERDICT_RULE =
      ManifestColumn.ofRun("verdict_rule", DataTypes.StringType, ofVerdict(Verdict::rule));

  public static final ManifestColumn VERDICT_SCORE =
      ManifestColumn.ofRun(
          "verdict_score",
          DataTypes.DoubleType,
          ofVerdict(verdict -> verdict.score().map(Verdict.Score::value).orElse(null)));

  public static final ManifestColumn VERDICT_THRESHOLD =
      ManifestColumn.ofRun(
          "verdict_threshold",
          DataTypes.DoubleType,
          ofVerdict(verdict -> verdict.score().map(Verdict.Score::threshold).orElse(null)));

  /** All verdicts as a JSON array, by {@link VerdictJson}; null if there is none. */
  public static final ManifestColumn VERDICTS =
      ManifestColumn.ofRun("verdicts", DataTypes.StringType, row -> VerdictJson.of(row.verdicts()));

  /**
   * Digest of the policy that gave the verdict; without a verdict, of the policy that the prompt
   * passed. Null if no policy was applied.
   */
  public static final ManifestColumn POLICY_DIGEST =
      ManifestColumn.ofRun("policy_digest", DataTypes.StringType, ManifestValues::policyDigest);

  /** Id of the row that this row is a rewording of, as the table says. */
  public static final ManifestColumn REVISES =
      ManifestColumn.planned("revises", DataTypes.StringType);

  /**
   * Key of the image object, or of the shard that holds it, relative to the output, so that the
   * output may be moved.
   */
  public static final ManifestColumn PATH =
      ManifestColumn.ofRun("path", DataTypes.StringType, ofStored(StoredImage::path));

  /**
   * The full URI of {@link #PATH}, with the scheme of the output, such as {@code s3a}. {@link
   * Manifest#commit} fills it in.
   */
  public static final ManifestColumn PATH_URI =
      ManifestColumn.ofRun("path_uri", DataTypes.StringType, row -> null);

  /**
   * Digest of the table row, the options and the model, by which the next run recognizes an
   * unchanged row; null in rows that it must plan again. It says nothing of the image.
   */
  public static final ManifestColumn ROW_DIGEST =
      ManifestColumn.ofRun(
          "row_digest",
          DataTypes.StringType,
          row -> row.isPlain() ? row.planned().getAs("row_digest") : null);

  /** Name of the image in its shard; null if it is not packed. */
  public static final ManifestColumn MEMBER =
      ManifestColumn.ofRun("member", DataTypes.StringType, ofStored(StoredImage::member));

  /** First byte of the image in a tar shard; null elsewhere. */
  public static final ManifestColumn MEMBER_OFFSET =
      ManifestColumn.ofRun(
          "member_offset", DataTypes.LongType, ofStored(StoredImage::memberOffset));

  public static final ManifestColumn SHARD_BYTES =
      ManifestColumn.ofRun("shard_bytes", DataTypes.LongType, ofStored(StoredImage::shardBytes));

  public static final ManifestColumn FORMAT =
      ManifestColumn.ofImage(
          "format",
          DataTypes.StringType,
          row -> row.outcome().image() == null ? null : row.task().format().extension());

  /** Of the image, packed or not. */
  public static final ManifestColumn BYTES =
      ManifestColumn.ofImage("bytes", DataTypes.LongType, ofStored(StoredImage::bytes));

  /** Of the image, packed or not. */
  public static final ManifestColumn SHA256 =
      ManifestColumn.ofImage("sha256", DataTypes.StringType, ofStored(StoredImage::sha256));

  /**
   * Whether all pixels of the image are equal; null if the run found its file and did not draw it.
   * So it differs from attempt to attempt, and is not stored in shards.
   */
  public static final ManifestColumn BLANK =
      ManifestColumn.ofRun("blank", DataTypes.BooleanType, ofStored(StoredImage::blank));

  public static final ManifestColumn WIDTH = requested(RequestColumns.WIDTH);

  public static final ManifestColumn HEIGHT = requested(RequestColumns.HEIGHT);

  public static final ManifestColumn PROMPT = requested(RequestColumns.PROMPT);

  public static final ManifestColumn SEED = requested(RequestColumns.SEED);

  /**
   * The seed that the image was drawn with, which differs from {@link #SEED} where checks draw
   * further images; null without an image, and where only its file is known. A row with this seed
   * draws the same image without checks.
   */
  public static final ManifestColumn SEED_USED =
      ManifestColumn.ofRun("seed_used", DataTypes.LongType, ManifestValues::seedUsed);

  /** Images that were drawn for the row; null without classifiers and scorer. */
  public static final ManifestColumn DRAWS =
      ManifestColumn.ofRun(
          "draws", DataTypes.IntegerType, ofScreened(screening -> screening.draws().size()));

  /** See {@link ScreeningJson}; null without classifiers and scorer. */
  public static final ManifestColumn SCORES =
      ManifestColumn.ofRun("scores", DataTypes.StringType, ofScreened(ScreeningJson::of));

  /** Whether a prompt has more tokens than the text encoder reads. */
  public static final ManifestColumn PROMPT_TRUNCATED =
      ManifestColumn.planned("prompt_truncated", DataTypes.BooleanType);

  public static final ManifestColumn LORA = requested(RequestColumns.LORA);

  /** Of the adapters' files, in the order of {@link #LORA}. */
  public static final ManifestColumn LORA_DIGESTS =
      ManifestColumn.ofImage("lora_digests", DataTypes.StringType, ManifestValues::loraDigests);

  public static final ManifestColumn MODEL =
      ManifestColumn.ofImage("model", DataTypes.StringType, row -> row.task().model().name());

  public static final ManifestColumn MODEL_DIGEST =
      ManifestColumn.ofImage(
          "model_digest", DataTypes.StringType, row -> row.task().model().digest());

  public static final ManifestColumn DTYPE =
      ManifestColumn.ofImage("dtype", DataTypes.StringType, row -> row.task().model().dtype());

  public static final ManifestColumn RUN_ID =
      ManifestColumn.ofRun("run_id", DataTypes.StringType, row -> row.task().runId());

  public static final ManifestColumn ATTEMPT =
      ManifestColumn.ofRun("attempt", DataTypes.IntegerType, row -> row.task().attempt());

  /** Filled with microseconds since 1970, which {@link Manifest#commit} makes a timestamp. */
  public static final ManifestColumn CREATED_AT =
      ManifestColumn.ofRun(
          "created_at",
          DataTypes.TimestampType,
          row -> ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));

  /**
   * The image's share of the time that its batch took on the device: the three phases, attempts
   * that failed, and the loading of networks that take turns.
   */
  public static final ManifestColumn GENERATE_MS = ofDevice("generate_ms", DeviceMillis::total);

  /** The part of {@link #GENERATE_MS} that encoded the prompts. */
  public static final ManifestColumn ENCODE_PROMPT_MS =
      ofDevice("encode_prompt_ms", DeviceMillis::encode);

  /** The part of {@link #GENERATE_MS} that the transformer's steps took. */
  public static final ManifestColumn DENOISE_MS = ofDevice("denoise_ms", DeviceMillis::denoise);

  /** The part of {@link #GENERATE_MS} that decoded the latents. */
  public static final ManifestColumn DECODE_MS = ofDevice("decode_ms", DeviceMillis::decode);

  /** Of the transformer's blocks, both sides of guidance counted; null if not drawn by this run. */
  public static final ManifestColumn TRANSFORMER_CALLS =
      ManifestColumn.ofRun(
          "transformer_calls",
          DataTypes.IntegerType,
          row -> {
            OptionalInt calls = row.outcome().facts().transformerCalls();
            return calls.isPresent() ? calls.getAsInt() : null;
          });

  /** The time of encoding the image file. */
  public static final ManifestColumn ENCODE_MS =
      ManifestColumn.ofRun("encode_ms", DataTypes.DoubleType, row -> row.outcome().encodeMillis());

  public static final ManifestColumn STORE_MS =
      ManifestColumn.ofRun("store_ms", DataTypes.DoubleType, row -> row.outcome().storeMillis());

  public static final ManifestColumn DEVICE =
      ManifestColumn.ofRun(
          "device",
          DataTypes.StringType,
          row -> row.outcome().device() == null ? null : row.task().device().name());

  /** Whether the same request draws the same image: not so for hosted models. */
  public static final ManifestColumn REPRODUCIBLE =
      ManifestColumn.ofImage(
          "reproducible", DataTypes.BooleanType, row -> !row.task().model().hosted());

  /**
   * Price of the requests to a hosted model for this image, failed ones included, in the currency
   * of the given prices; null elsewhere.
   */
  public static final ManifestColumn COST =
      ManifestColumn.ofRun(
          "cost",
          DataTypes.DoubleType,
          row -> {
            OptionalDouble cost = row.outcome().facts().cost();
            return cost.isPresent() ? cost.getAsDouble() : null;
          });

  private static final List<ManifestColumn> FIRST =
      List.of(
          IMAGE_ID,
          ID,
          VARIANT,
          STATUS,
          ERROR_CODE,
          ERROR_MESSAGE,
          VERDICT,
          VERDICT_STAGE,
          VERDICT_CATEGORY,
          VERDICT_SEVERITY,
          VERDICT_RULE,
          VERDICT_SCORE,
          VERDICT_THRESHOLD,
          VERDICTS,
          POLICY_DIGEST,
          REVISES,
          PATH,
          PATH_URI,
          MEMBER,
          MEMBER_OFFSET,
          SHARD_BYTES,
          FORMAT,
          BYTES,
          SHA256,
          BLANK,
          WIDTH,
          HEIGHT);

  private static final List<ManifestColumn> LAST =
      List.of(
          SEED_USED,
          DRAWS,
          SCORES,
          PROMPT_TRUNCATED,
          LORA,
          LORA_DIGESTS,
          MODEL,
          MODEL_DIGEST,
          DTYPE,
          REPRODUCIBLE,
          RUN_ID,
          ATTEMPT,
          CREATED_AT,
          GENERATE_MS,
          ENCODE_PROMPT_MS,
          DENOISE_MS,
          DECODE_MS,
          TRANSFORMER_CALLS,
          ENCODE_MS,
          STORE_MS,
          DEVICE,
          COST,
          ROW_DIGEST);

  /** In the order of the manifest; the request columns that no list names come in the middle. */
  public static final List<ManifestColumn> ALL =
      Stream.of(FIRST.stream(), otherRequestColumns(), LAST.stream())
          .flatMap(Function.identity())
          .toList();

  private static final Map<String, ManifestColumn> BY_NAME =
      ALL.stream().collect(Collectors.toMap(ManifestColumn::name, Function.identity()));

  private ManifestColumns() {}

  /** Whether a column describes the run and not the image; false for passthrough columns. */
  public static boolean aboutRun(String name) {
    ManifestColumn column = BY_NAME.get(name);
    return column != null && column.aboutRun();
  }

  private static Stream<ManifestColumn> otherRequestColumns() {
    List<String> placed =
        Stream.concat(FIRST.stream(), LAST.stream()).map(ManifestColumn::name).toList();
    return RequestColumns.ALL.stream()
        .filter(column -> column.inRequest() && !placed.contains(column.name()))
        .map(ManifestColumns::requested);
  }

  /** A value that a hosted model does not get is null in its rows. */
  private static ManifestColumn requested(RequestColumn<?> column) {
    boolean sent = SENT_TO_HOSTED.contains(column);
    return ManifestColumn.ofImage(
        column.name(),
        column.sparkType(),
        row -> sent || !row.task().model().hosted() ? row.planned().getAs(column.name()) : null);
  }

  private static ManifestColumn ofDevice(String name, ToDoubleFunction<DeviceMillis> value) {
    return ManifestColumn.ofRun(
        name,
        DataTypes.DoubleType,
        row -> row.outcome().device() == null ? null : value.applyAsDouble(row.outcome().device()));
  }
}
