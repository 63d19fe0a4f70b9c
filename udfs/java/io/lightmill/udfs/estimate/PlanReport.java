package io.lightmill.udfs.estimate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.option.Price;
import io.lightmill.udfs.plan.ImageWork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a run would do: its images, and what drawing them takes and costs.
 *
 * @param input prompt table
 * @param problems the first rows that are invalid, blocked or have the id of another row
 * @param sizes images to draw by size and steps, from the most expensive
 * @param device {@code cpu} or {@code cuda}
 * @param slots images that are drawn at a time, or batches on GPUs
 * @param partitions of the tasks that draw
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record PlanReport(
    String input,
    String output,
    String checkpoint,
    String modelDigest,
    Images images,
    List<UndrawnRows.Problem> problems,
    List<Size> sizes,
    String device,
    int slots,
    int partitions,
    Estimate estimate) {

  /** Status of a problem that a run is refused for: a row with the id of another row. */
  public static final String DUPLICATE = "duplicate";

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private static final double SECONDS_PER_HOUR = 3600;

  /**
   * Requested images by what the run does with them.
   *
   * @param requested all of them, without rows that have the id of another row
   * @param toDraw distinct images that no earlier run has stored
   * @param same images that are equal to one of these, and are not drawn again
   * @param exist that earlier runs have stored
   * @param failed that earlier runs failed to draw and this run does not try again
   * @param duplicateIds rows that have the id of another row; with any, a run is refused
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Images(
      long requested,
      long toDraw,
      long same,
      long exist,
      long blocked,
      long failed,
      long invalid,
      long duplicateIds) {

    public static Images of(long requested, long toDraw, UndrawnRows undrawn, long duplicateIds) {
      long settled = undrawn.counts().values().stream().mapToLong(Long::longValue).sum();
      return new Images(
          requested,
          toDraw,
          requested - settled - toDraw,
          undrawn.count(ImageStatus.REUSED),
          undrawn.count(ImageStatus.BLOCKED),
          undrawn.count(ImageStatus.FAILED),
          undrawn.count(ImageStatus.INVALID),
          duplicateIds);
    }
  }

  /**
   * Images of one kind.
   *
   * @param guided whether each step calls the transformer twice
   * @param lora adapters; empty for none
   * @param sampling saved transformer calls
   * @param deviceSeconds of all these images; null if unknown
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Size(
      int width,
      int height,
      int steps,
      boolean guided,
      String lora,
      String sampling,
      long images,
      Double deviceSeconds) {}

  /**
   * What drawing takes.
   *
   * @param deviceSeconds of all devices together; null if unknown
   * @param deviceHours the same in hours
   * @param drawingSeconds with all slots in use, without the loading of the model; null if unknown
   * @param cost null if unknown
   * @param rate what the cost is computed with; null if unknown
   * @param basis where the speed is from
   * @param bytes of the image files; null if unknown
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Estimate(
      Double deviceSeconds,
      Double deviceHours,
      Double drawingSeconds,
      Price cost,
      String rate,
      String basis,
      Long bytes) {

    static Estimate of(
        Map<ImageWork, Long> work, int slots, CostEstimate cost, OptionalDouble bytesPerPixel) {
      OptionalDouble seconds = total(work, cost::deviceSeconds);
      long images = work.values().stream().mapToLong(Long::longValue).sum();
      double used = Math.max(1, Math.min(slots, images));
      return new Estimate(
          boxed(seconds),
          seconds.isPresent() ? seconds.getAsDouble() / SECONDS_PER_HOUR : null,
          seconds.isPresent() ? seconds.getAsDouble() / used : null,
          cost(work, cost),
          cost.rate().orElse(null),
          cost.basis(),
          bytesPerPixel.isPresent()
              ? Math.round(
                  bytesPerPixel.getAsDouble()
                      * work.entrySet().stream()
                          .mapToLong(each -> each.getKey().pixels() * each.getValue())
                          .sum())
              : null);
    }

    private static Price cost(Map<ImageWork, Long> work, CostEstimate cost) {
      Price sum = null;
      for (Map.Entry<ImageWork, Long> each : work.entrySet()) {
        Optional<Price> price = cost.price(each.getKey());
        if (price.isEmpty()) {
          return null;
        }
        Price more = price.get().times(each.getValue());
        sum = sum == null ? more : new Price(sum.amount().add(more.amount()), sum.currency());
      }
      return sum == null ? null : sum.rounded();
    }
  }

  private interface Seconds {
    OptionalDouble of(ImageWork work);
  }

  private static OptionalDouble total(Map<ImageWork, Long> work, Seconds seconds) {
    double sum = 0;
    for (Map.Entry<ImageWork, Long> each : work.entrySet()) {
      OptionalDouble one = seconds.of(each.getKey());
      if (one.isEmpty()) {
        return OptionalDouble.empty();
      }
      sum += one.getAsDouble() * each.getValue();
    }
    return OptionalDouble.of(sum);
  }

  private static Double boxed(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }

  /**
   * Where a plan is made, and for what.
   *
   * @param slots as {@link PlanReport#slots}
   */
  public record Setting(
      String input,
      String output,
      String checkpoint,
      String modelDigest,
      boolean cuda,
      int slots,
      int partitions) {}

  /**
   * The report of a plan.
   *
   * @param work distinct images to draw
   * @param bytesPerPixel of image files; empty if it is unknown
   */
  public static PlanReport of(
      Setting setting,
      Images images,
      List<UndrawnRows.Problem> problems,
      Map<ImageWork, Long> work,
      CostEstimate cost,
      OptionalDouble bytesPerPixel) {
    return new PlanReport(
        setting.input(),
        setting.output(),
        setting.checkpoint(),
        setting.modelDigest(),
        images,
        problems,
        work.entrySet().stream()
            .map(each -> size(each.getKey(), each.getValue(), cost))
            .sorted(
                Comparator.comparing(
                        Size::deviceSeconds, Comparator.nullsFirst(Comparator.naturalOrder()))
                    .thenComparing(size -> (long) size.width() * size.height() * size.steps())
                    .reversed())
            .toList(),
        setting.cuda() ? "cuda" : "cpu",
        setting.slots(),
        setting.partitions(),
        Estimate.of(work, setting.slots(), cost, bytesPerPixel));
  }

  private static Size size(ImageWork work, long images, CostEstimate cost) {
    OptionalDouble seconds = cost.deviceSeconds(work);
    return new Size(
        work.width(),
        work.height(),
        work.steps(),
        work.guided(),
        work.lora(),
        work.sampling(),
        images,
        seconds.isPresent() ? seconds.getAsDouble() * images : null);
  }

  /** The table that people read. */
  public List<String> lines() {
    return new PlanLines(this).all();
  }

  /** The report as JSON. */
  public String json() {
    try {
      return JSON.writeValueAsString(this);
    } catch (IOException e) { // a value of this record that JSON does not have
      throw new UncheckedIOException(e);
    }
  }
}
