package io.lightmill.udfs.run;

import static org.apache.spark.sql.functions.approx_count_distinct;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.monotonically_increasing_id;
import static org.apache.spark.sql.functions.spark_partition_id;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.StageGpus;
import io.lightmill.udfs.draw.DrawUnstored;
import io.lightmill.udfs.estimate.MeasuredSpeed;
import io.lightmill.udfs.estimate.Measurement;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.plan.ImageWork;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.report.EvenSample;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;

/**
 * Draws a few images of a plan to measure its speed, and stores none. All slots draw at the same
 * time, as in a run, since they share memory and caches. Images take their sizes from the plan and
 * their prompts from different rows, so that encoding prompts is measured too. Steps cost the same,
 * so that a few are enough, unless the number of transformer calls depends on them.
 */
final class Calibration {

  /** Sizes that are drawn; those between them are interpolated. */
  private static final int MOST_SIZES = 6;

  private static final int MOST_STEPS = 8;

  /** Of each size and slot, on CPUs; the first is slow and not counted. */
  private static final int IMAGES = 4;

  /** Of each size and slot on GPUs, whose batches grow; the first half is not counted. */
  private static final int IMAGES_IN_BATCHES = 32;

  /** More slots would not improve the measurement. */
  private static final int MOST_SLOTS = 16;

  private static final String PARTITION = "partition";
  private static final String PLACE = "place";

  private final DryPlan plan;
  private final int slots;
  private final int images;

  private Calibration(DryPlan plan) {
    this.plan = plan;
    Cluster cluster = plan.hooks().cluster();
    this.slots = Math.min(MOST_SLOTS, cluster.slots());
    this.images =
        cluster.cuda()
            ? 4 * plan.options().find(ModelOptions.BATCH_SIZE).orElse(IMAGES_IN_BATCHES / 4)
            : IMAGES;
  }

  /**
   * The speed of a plan.
   *
   * @param known of earlier runs, whose sizes are not drawn again
   */
  static MeasuredSpeed of(DryPlan plan, Optional<MeasuredSpeed> known) {
    Set<ImageWork> missing = new LinkedHashSet<>();
    plan.images().work().keySet().stream()
        .filter(work -> known.isEmpty() || !known.get().covers(work))
        .forEach(missing::add);
    if (missing.isEmpty()) {
      return known.orElseThrow();
    }
    List<Measurement> drawn = new Calibration(plan).drawn(chosen(missing));
    List<Measurement> all = new ArrayList<>(drawn);
    known.ifPresent(speed -> all.addAll(speed.measured()));
    return new MeasuredSpeed(
        all,
        "measured by %s drawn now%s"
            .formatted(
                PlanEstimates.counted(drawn.size()),
                known
                    .map(
                        speed ->
                            " and %s of earlier runs"
                                .formatted(PlanEstimates.counted(speed.measured().size())))
                    .orElse("")));
  }

  /** Works of different sizes, the smallest and the largest among them, and of each sampling. */
  private static Set<ImageWork> chosen(Set<ImageWork> works) {
    Map<Object, ImageWork> sizes = new LinkedHashMap<>();
    Map<Object, ImageWork> samplings = new LinkedHashMap<>();
    works.stream()
        .sorted(Comparator.comparing(ImageWork::tokens).thenComparing(ImageWork::toString))
        .forEach(
            work -> {
              sizes.putIfAbsent(work.tokens(), work);
              if (work.savesCalls()) {
                samplings.putIfAbsent(List.of(work.sampling(), work.guided(), work.steps()), work);
              }
            });
    Set<ImageWork> chosen =
        new LinkedHashSet<>(EvenSample.of(List.copyOf(sizes.values()), MOST_SIZES));
    chosen.addAll(EvenSample.of(List.copyOf(samplings.values()), MOST_SIZES));
    return chosen;
  }

  private List<Measurement> drawn(Set<ImageWork> works) {
    Dataset<Row> toDraw = plan.images().images().filter(col(PlannedImages.BATCH_KEY).isNotNull());
    List<Row> prompts =
        toDraw.orderBy(ManifestColumns.IMAGE_ID.col()).takeAsList(slots * images * works.size());
    Map<ImageWork, Row> examples = examples(toDraw, works);
    List<Row> requests = new ArrayList<>();
    for (int slot = 0; slot < slots; slot++) {
      for (ImageWork work : works) {
        for (int i = 0; i < images; i++) {
          Row other = prompts.get(requests.size() % prompts.size());
          requests.add(request(examples.get(work), other, requests.size() / prompts.size()));
        }
      }
    }
    StructType planned = examples.values().iterator().next().schema();
    StructType schema = DrawUnstored.schema(PlannedImages.passthrough(planned));
    DrawUnstored drawing =
        new DrawUnstored(
            UnstoredImages.drawing(plan.spark(), plan.options(), plan.checkpoint(), plan.hooks()));
    Dataset<Row> rows =
        plan.spark()
            .createDataFrame(
                JavaSparkContext.fromSparkContext(plan.spark().sparkContext())
                    .parallelize(requests, slots),
                planned);
    List<Row> timed =
        StageGpus.given(plan.hooks().cluster(), rows.mapPartitions(drawing, Encoders.row(schema)))
            .drop(DrawUnstored.IMAGE, ManifestColumns.CREATED_AT.name())
            .withColumn(PARTITION, spark_partition_id())
            .withColumn(PLACE, monotonically_increasing_id())
            .collectAsList();
    return measurements(timed, textShare(toDraw));
  }

  private static Map<ImageWork, Row> examples(Dataset<Row> toDraw, Set<ImageWork> works) {
    Map<ImageWork, Row> examples = new HashMap<>();
    for (Row row : toDraw.dropDuplicates(PlannedImages.BATCH_KEY).collectAsList()) {
      ImageWork work = ImageWork.of(row.<String>getAs(PlannedImages.BATCH_KEY));
      if (works.contains(work)) {
        examples.put(work, row);
      }
    }
    return examples;
  }

  /**
   * An image of the size of one row with the prompt of another.
   *
   * @param repetition of the prompt, which makes it another prompt
   */
  private static Row request(Row example, Row other, int repetition) {
    StructType schema = example.schema();
    Object[] values = new Object[schema.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = example.get(i);
    }
    String prompt = ManifestColumns.PROMPT.of(other);
    values[schema.fieldIndex(ManifestColumns.PROMPT.name())] =
        repetition == 0 ? prompt : repetition + " " + prompt;
    values[schema.fieldIndex(ManifestColumns.SEED.name())] = ManifestColumns.SEED.of(other);
    ImageWork work = ImageWork.of(example.<String>getAs(PlannedImages.BATCH_KEY));
    if (!work.savesCalls()) {
      values[schema.fieldIndex(RequestColumns.NUM_INFERENCE_STEPS.name())] =
          work.withSteps(MOST_STEPS).steps();
    }
    return RowFactory.create(values);
  }

  /** Images of one prompt encode it once. */
  private static double textShare(Dataset<Row> toDraw) {
    Row counts =
        toDraw
            .agg(
                approx_count_distinct(ManifestColumns.PROMPT.col(), 0.02),
                approx_count_distinct(ManifestColumns.IMAGE_ID.col(), 0.02))
            .first();
    return Math.min(1, (double) counts.getLong(0) / Math.max(1, counts.getLong(1)));
  }

  private List<Measurement> measurements(List<Row> unordered, double textShare) {
    List<Row> rows = new ArrayList<>(unordered);
    rows.sort(Comparator.comparing(row -> row.<Long>getAs(PLACE)));
    Map<Object, Integer> drawn = new HashMap<>();
    List<Measurement> measured = new ArrayList<>();
    int skipped = plan.hooks().cluster().cuda() ? images / 2 : 1;
    String failure = "no image passed its checks";
    for (Row row : rows) {
      if (ManifestColumns.ERROR_CODE.of(row) != null) {
        failure = ManifestColumns.ERROR_MESSAGE.of(row);
        continue;
      }
      ImageWork work =
          ImageWork.of(RequestColumns.request(row), plan.checkpoint().limits().guidance());
      int place = drawn.merge(List.of(row.<Integer>getAs(PARTITION), work), 1, Integer::sum);
      if (place > skipped && ManifestColumns.GENERATE_MS.of(row) != null) {
        Measurement each = Measurement.of(work, row);
        measured.add(each.withText(each.encode() * textShare));
      }
    }
    if (measured.isEmpty()) {
      throw new LightmillException(
          ErrorCode.GENERATION_FAILED,
          "the speed cannot be measured, since images of the plan cannot be drawn: %s; fix that, or give a speed (--images-per-second)"
              .formatted(failure));
    }
    return measured;
  }
}
