package io.lightmill.udfs.manifest;

import static io.lightmill.udfs.manifest.ManifestColumn.ofImage;
import static io.lightmill.udfs.manifest.ManifestColumn.ofRun;
import static io.lightmill.udfs.manifest.ManifestColumn.planned;
import static io.lightmill.udfs.manifest.ManifestValues.ofScreened;
import static io.lightmill.udfs.manifest.ManifestValues.ofStored;
import static io.lightmill.udfs.manifest.ManifestValues.ofVerdict;
import static org.apache.spark.sql.types.DataTypes.BooleanType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.TimestampType;

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

/**
 * The registry of the manifest's own columns. A request column that is a part of requests is one of
 * them by itself.
 */
public final class ManifestColumns {

  private static final Set<RequestColumn<?>> SENT_TO_HOSTED =
      Set.of(RequestColumns.ID, RequestColumns.PROMPT, RequestColumns.WIDTH, RequestColumns.HEIGHT);

  /** Null in invalid rows. */
  public static final ManifestColumn IMAGE_ID = planned("image_id", StringType);

  public static final ManifestColumn ID = requested(RequestColumns.ID);

  /** Number of the image among those of its table row, from 0. */
  public static final ManifestColumn VARIANT = planned("variant", IntegerType);

  /** A label of {@link io.lightmill.udfs.ImageStatus}. */
  public static final ManifestColumn STATUS =
      ofRun("status", StringType, row -> row.outcome().status().label());

  public static final ManifestColumn ERROR_CODE =
      ofRun("error_code", StringType, row -> row.outcome().errorCode());

  public static final ManifestColumn ERROR_MESSAGE =
      ofRun("error_message", StringType, row -> row.outcome().errorMessage());

  /** {@code blocked} or {@code flagged}, by the verdict that decides; null if there is none. */
  public static final ManifestColumn VERDICT =
      ofRun("verdict", StringType, ofVerdict(verdict -> VerdictCounts.verdictOf(verdict.action())));

  /** A label of {@link Verdict.Stage}. */
  public static final ManifestColumn VERDICT_STAGE =
      ofRun("verdict_stage", StringType, ofVerdict(verdict -> verdict.stage().label()));

  public static final ManifestColumn VERDICT_CATEGORY =
      ofRun("verdict_category", StringType, ofVerdict(Verdict::category));

  /** A label of {@link Verdict.Severity}. */
  public static final ManifestColumn VERDICT_SEVERITY =
      ofRun("verdict_severity", StringType, ofVerdict(verdict -> verdict.severity().label()));

  /** Rule of the policy, or label of the classifier. */
  public static final ManifestColumn VERDICT_RULE =
      ofRun("verdict_rule", StringType, ofVerdict(Verdict::rule));

  public static final ManifestColumn VERDICT_SCORE =
      ofRun(
          "verdict_score",
          DoubleType,
          ofVerdict(verdict -> verdict.score().map(Verdict.Score::value).orElse(null)));

  public static final ManifestColumn VERDICT_THRESHOLD =
      ofRun(
          "verdict_threshold",
          DoubleType,
          ofVerdict(verdict -> verdict.score().map(Verdict.Score::threshold).orElse(null)));

  /** All verdicts as a JSON array, by {@link VerdictJson}; null if there is none. */
  public static final ManifestColumn VERDICTS =
      ofRun("verdicts", StringType, row -> VerdictJson.of(row.verdicts()));

  /**
   * Digest of the policy that gave the verdict; without a verdict, of the policy that the prompt
   * passed. Null if no policy was applied.
   */
  public static final ManifestColumn POLICY_DIGEST =
      ofRun("policy_digest", StringType, ManifestValues::policyDigest);

  /** Id of the row that this row is a rewording of, as the table says. */
  public static final ManifestColumn REVISES = planned("revises", StringType);

  /**
   * Key of the image object, or of the shard that holds it, relative to the output, so that the
   * output may be moved.
   */
  public static final ManifestColumn PATH = ofRun("path", StringType, ofStored(StoredImage::path));

  /**
   * The full URI of {@link #PATH}, with the scheme of the output, such as {@code s3a}. {@link
   * Manifest#commit} fills it in.
   */
  public static final ManifestColumn PATH_URI = ofRun("path_uri", StringType, row -> null);

  /**
   * Digest of the table row, the options and the model, by which the next run recognizes an
   * unchanged row; null in rows that it must plan again. It says nothing of the image.
   */
  public static final ManifestColumn ROW_DIGEST =
      ofRun(
          "row_digest",
          StringType,
          row -> row.isPlain() ? row.planned().getAs("row_digest") : null);

  /** Name of the image in its shard; null if it is not packed. */
  public static final ManifestColumn MEMBER =
      ofRun("member", StringType, ofStored(StoredImage::member));

  /** First byte of the image in a tar shard; null elsewhere. */
  public static final ManifestColumn MEMBER_OFFSET =
      ofRun("member_offset", LongType, ofStored(StoredImage::memberOffset));

  public static final ManifestColumn SHARD_BYTES =
      ofRun("shard_bytes", LongType, ofStored(StoredImage::shardBytes));

  public static final ManifestColumn FORMAT =
      ofImage(
          "format",
          StringType,
          row -> row.outcome().image() == null ? null : row.task().format().extension());

  /** Of the image, packed or not. */
  public static final ManifestColumn BYTES =
      ofImage("bytes", LongType, ofStored(StoredImage::bytes));

  /** Of the image, packed or not. */
  public static final ManifestColumn SHA256 =
      ofImage("sha256", StringType, ofStored(StoredImage::sha256));

  /**
   * Whether all pixels of the image are equal; null if the run found its file and did not draw it.
   * So it differs from attempt to attempt, and is not stored in shards.
   */
  public static final ManifestColumn BLANK =
      ofRun("blank", BooleanType, ofStored(StoredImage::blank));

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
      ofRun("seed_used", LongType, ManifestValues::seedUsed);

  /** Images that were drawn for the row; null without classifiers and scorer. */
  public static final ManifestColumn DRAWS =
      ofRun("draws", IntegerType, ofScreened(screening -> screening.draws().size()));

  /** See {@link ScreeningJson}; null without classifiers and scorer. */
  public static final ManifestColumn SCORES =
      ofRun("scores", StringType, ofScreened(ScreeningJson::of));

  /** Whether a prompt has more tokens than the text encoder reads. */
  public static final ManifestColumn PROMPT_TRUNCATED = planned("prompt_truncated", BooleanType);

  public static final ManifestColumn LORA = requested(RequestColumns.LORA);

  /** Of the adapters' files, in the order of {@link #LORA}. */
  public static final ManifestColumn LORA_DIGESTS =
      ofImage("lora_digests", StringType, ManifestValues::loraDigests);

  public static final ManifestColumn MODEL =
      ofImage("model", StringType, row -> row.task().model().name());

  public static final ManifestColumn MODEL_DIGEST =
      ofImage("model_digest", StringType, row -> row.task().model().digest());

  public static final ManifestColumn DTYPE =
      ofImage("dtype", StringType, row -> row.task().model().dtype());

  public static final ManifestColumn RUN_ID =
      ofRun("run_id", StringType, row -> row.task().runId());

  public static final ManifestColumn ATTEMPT =
      ofRun("attempt", IntegerType, row -> row.task().attempt());

  /** Filled with microseconds since 1970, which {@link Manifest#commit} makes a timestamp. */
  public static final ManifestColumn CREATED_AT =
      ofRun(
          "created_at",
          TimestampType,
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
      ofRun(
          "transformer_calls",
          IntegerType,
          row -> {
            OptionalInt calls = row.outcome().facts().transformerCalls();
            return calls.isPresent() ? calls.getAsInt() : null;
          });

  /** The time of encoding the image file. */
  public static final ManifestColumn ENCODE_MS =
      ofRun("encode_ms", DoubleType, row -> row.outcome().encodeMillis());

  public static final ManifestColumn STORE_MS =
      ofRun("store_ms", DoubleType, row -> row.outcome().storeMillis());

  public static final ManifestColumn DEVICE =
      ofRun(
          "device",
          StringType,
          row -> row.outcome().device() == null ? null : row.task().device().name());

  /** Whether the same request draws the same image: not so for hosted models. */
  public static final ManifestColumn REPRODUCIBLE =
      ofImage("reproducible", BooleanType, row -> !row.task().model().hosted());

  /**
   * Price of the requests to a hosted model for this image, failed ones included, in the currency
   * of the given prices; null elsewhere.
   */
  public static final ManifestColumn COST =
      ofRun(
          "cost",
          DoubleType,
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
    return ofImage(
        column.name(),
        column.sparkType(),
        row -> sent || !row.task().model().hosted() ? row.planned().getAs(column.name()) : null);
  }

  private static ManifestColumn ofDevice(String name, ToDoubleFunction<DeviceMillis> value) {
    return ofRun(
        name,
        DoubleType,
        row -> row.outcome().device() == null ? null : value.applyAsDouble(row.outcome().device()));
  }
}
