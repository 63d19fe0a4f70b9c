package io.lightmill.udfs.estimate;

import static java.util.stream.Collectors.averagingDouble;
import static java.util.stream.Collectors.groupingBy;

import io.lightmill.udfs.plan.ImageWork;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * A speed that is fitted to measured images. The time of an image is
 *
 * <pre>text(prompt tokens) + calls × f(tokens) + decode(pixels) + rest</pre>
 *
 * where f and decode are {@link PowerCurve}s through the means of what was measured, and the calls
 * are those of the request. Where a request saves transformer calls, they are the mean of measured
 * images with the same sampling and number of steps, or scaled from other numbers of steps.
 */
public final class MeasuredSpeed implements ImageSpeed {

  private final List<Measurement> measured;
  private final String basis;
  private final PowerCurve text;
  private final PowerCurve call;
  private final PowerCurve decode;
  private final double rest;
  private final NavigableSet<Long> tokens;

  /** Calls per step by sampling, and by sampling and steps. */
  private final Map<List<Object>, Double> callsPerStep;

  /**
   * @param measured at least one image
   */
  public MeasuredSpeed(List<Measurement> measured, String basis) {
    this.measured = List.copyOf(measured);
    this.basis = basis;
    this.text = mean(each -> (double) each.work().textTokens(), Measurement::encode);
    this.call =
        new PowerCurve(
            measured.stream()
                .collect(
                    groupingBy(
                        each -> (double) each.work().tokens(),
                        Collectors.collectingAndThen(
                            Collectors.toList(), MeasuredSpeed::perCall))));
    this.decode = mean(each -> (double) each.work().pixels(), Measurement::decode);
    this.rest = measured.stream().collect(averagingDouble(Measurement::rest));
    this.tokens =
        measured.stream()
            .map(each -> each.work().tokens())
            .collect(Collectors.toCollection(TreeSet::new));
    this.callsPerStep =
        measured.stream()
            .flatMap(each -> keys(each.work()).stream().map(key -> Map.entry(key, each)))
            .collect(
                groupingBy(
                    Map.Entry::getKey,
                    averagingDouble(
                        entry ->
                            (double) entry.getValue().calls() / entry.getValue().work().steps())));
  }

  private PowerCurve mean(
      Function<Measurement, Double> size, ToDoubleFunction<Measurement> seconds) {
    return new PowerCurve(measured.stream().collect(groupingBy(size, averagingDouble(seconds))));
  }

  private static double perCall(List<Measurement> measured) {
    double seconds = measured.stream().mapToDouble(Measurement::denoise).sum();
    return seconds / Math.max(1, measured.stream().mapToInt(Measurement::calls).sum());
  }

  private static List<List<Object>> keys(ImageWork work) {
    return List.of(
        List.of(work.sampling(), work.guided(), work.steps()),
        List.of(work.sampling(), work.guided()));
  }

  @Override
  public double seconds(ImageWork work) {
    return text.at(work.textTokens())
        + calls(work) * call.at((double) work.tokens())
        + decode.at((double) work.pixels())
        + rest;
  }

  private double calls(ImageWork work) {
    return keys(work).stream()
        .filter(callsPerStep::containsKey)
        .findFirst()
        .map(key -> callsPerStep.get(key) * work.steps())
        .orElse((double) work.calls());
  }

  /**
   * Whether images of this number of tokens were measured, or of fewer and of more at two other
   * numbers at least; and, where calls are saved, also images with the same sampling and steps.
   */
  public boolean covers(ImageWork work) {
    boolean size =
        tokens.contains(work.tokens())
            || (tokens.size() > 2
                && tokens.first() < work.tokens()
                && tokens.last() > work.tokens());
    return size && (!work.savesCalls() || callsPerStep.containsKey(keys(work).get(0)));
  }

  /** Bytes of an image file of a pixel, on average. */
  public double bytesPerPixel() {
    return (double) measured.stream().mapToLong(Measurement::bytes).sum()
        / measured.stream().mapToLong(each -> each.work().pixels()).sum();
  }

  public List<Measurement> measured() {
    return measured;
  }

  @Override
  public String basis() {
    return basis;
  }
}
