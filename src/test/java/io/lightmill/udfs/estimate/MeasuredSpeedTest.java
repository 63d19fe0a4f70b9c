package io.lightmill.udfs.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.PlanOptions;
import io.lightmill.udfs.option.Price;
import io.lightmill.udfs.plan.ImageWork;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MeasuredSpeedTest {

  private static final double TEXT = 0.05;
  private static final double REST = 0.01;

  private static ImageWork work(int side, int steps) {
    return new ImageWork(side, side, steps, 64, false, "", "none");
  }

  /** The time of an imaginary device. */
  private static double call(ImageWork work) {
    return 2e-5 * Math.pow((double) work.tokens(), 1.3);
  }

  private static double decode(ImageWork work) {
    return 4e-7 * work.pixels();
  }

  private static double seconds(ImageWork work) {
    return TEXT + work.calls() * call(work) + decode(work) + REST;
  }

  private static Measurement measured(ImageWork work) {
    return new Measurement(
        work,
        work.calls(),
        TEXT,
        work.calls() * call(work),
        decode(work),
        seconds(work),
        work.pixels());
  }

  private static MeasuredSpeed speed(int... sides) {
    return new MeasuredSpeed(
        IntStream.of(sides).mapToObj(side -> measured(work(side, 4))).toList(), "a test");
  }

  @Test
  void timeIsThatOfTextStepsAndPixels() {
    MeasuredSpeed speed = speed(256, 512, 1024);
    for (ImageWork other : List.of(work(256, 28), work(384, 4), work(768, 50), work(2048, 8))) {
      assertThat(speed.seconds(other))
          .as(other.toString())
          .isCloseTo(seconds(other), within(0.001 * seconds(other)));
    }
    assertThat(speed.bytesPerPixel()).isEqualTo(1);
  }

  @Test
  void meansOfNoisyImagesAreTaken() {
    ImageWork work = work(512, 10);
    Measurement exact = measured(work);
    MeasuredSpeed speed =
        new MeasuredSpeed(
            List.of(
                new Measurement(
                    work, 10, 0.2, exact.denoise() * 0.5, 0, exact.denoise() * 0.5 + 0.2, 1),
                new Measurement(work, 10, 0.0, exact.denoise() * 1.5, 0, exact.denoise() * 1.5, 1)),
            "a test");
    assertThat(speed.seconds(work)).isCloseTo(exact.denoise() + 0.1, within(1e-6));
  }

  @Test
  void oneSizeAloneIsScaledByTokens() {
    MeasuredSpeed speed = speed(512);
    double small = speed.seconds(work(512, 4)) - TEXT - REST - decode(work(512, 4));
    double large = speed.seconds(work(1024, 4)) - TEXT - REST - decode(work(1024, 4));
    assertThat(large / small)
        .isCloseTo((double) work(1024, 4).tokens() / work(512, 4).tokens(), within(1e-6));
  }

  @Test
  void savedCallsAreThoseOfMeasuredImages() {
    ImageWork saving = new ImageWork(512, 512, 20, 64, true, "", "sea@0.3");
    ImageWork plain = work(512, 20);
    MeasuredSpeed speed =
        new MeasuredSpeed(
            List.of(
                measured(plain),
                new Measurement(saving, 9, TEXT, 9 * call(saving), 0, TEXT + 9 * call(saving), 1),
                new Measurement(saving, 7, TEXT, 7 * call(saving), 0, TEXT + 7 * call(saving), 1)),
            "a test");
    double without = speed.seconds(plain) - 20 * call(plain);
    assertThat(speed.seconds(saving)).isCloseTo(without + 8 * call(saving), within(1e-6));
    assertThat(speed.covers(saving)).isTrue();
    assertThat(speed.covers(new ImageWork(512, 512, 10, 64, true, "", "sea@0.3"))).isFalse();
  }

  @Test
  void sizesThatWereNotMeasuredAreCoveredBetweenThreeOthers() {
    assertThat(speed(256, 1024).covers(work(512, 50))).isFalse();
    assertThat(speed(256, 1024).covers(work(1024, 50))).isTrue();
    assertThat(speed(256, 384, 1024).covers(work(512, 50))).isTrue();
    assertThat(speed(256, 384, 1024).covers(work(2048, 50))).isFalse();
  }

  @Test
  void aGivenSpeedCountsImagesOrMegapixelSteps() {
    assertThat(ImageSpeed.ofImages(4).seconds(work(512, 28))).isEqualTo(0.25);
    ImageWork guided = new ImageWork(1000, 500, 10, 64, true, "", "none");
    assertThat(ImageSpeed.ofMegapixelSteps(0.5).seconds(guided)).isEqualTo(0.5 * 0.5 * 20);
  }

  @Test
  void hoursHaveAPrice() {
    GenerationOptions options =
        GenerationOptions.parse(Map.of("device-hour-price", "€1.80", "images-per-second", "0.5"));
    Price hour = options.get(PlanOptions.DEVICE_HOUR_PRICE);
    DeviceCost cost = new DeviceCost(Optional.of(ImageSpeed.ofImages(0.5)), Optional.of(hour));
    PlanReport report = report(cost, Map.of(work(512, 28), 9000L));
    assertThat(report.estimate().deviceHours()).isEqualTo(5);
    assertThat(report.estimate().drawingSeconds()).isEqualTo(2 * 3600 + 1800);
    assertThat(report.estimate().cost()).hasToString("9.00 €");
    assertThat(report.estimate().bytes()).isEqualTo(2 * 512 * 512 * 9000L);
    assertThat(String.join("\n", report.lines()))
        .contains(
            "plan: prompts.csv → 9,010 images in out",
            "to draw           9,000",
            "exist                10  stored by earlier runs",
            "512×512      28           9,000    5 h 0 min      2.0 s",
            "5 h 0 min of device time, 2 h 30 min with 2 cores in use; given images per second",
            "costs 9.00 € at 1.80 € per device hour",
            "4 partitions");
  }

  @Test
  void anUnknownSpeedIsSaidToBeUnknown() {
    PlanReport report = report(CostEstimate.NONE, Map.of(work(512, 28), 3L));
    assertThat(report.estimate().deviceSeconds()).isNull();
    assertThat(report.estimate().cost()).isNull();
    assertThat(String.join("\n", report.lines())).contains("device time is unknown");
  }

  private static PlanReport report(CostEstimate cost, Map<ImageWork, Long> work) {
    long toDraw = work.values().stream().mapToLong(Long::longValue).sum();
    return PlanReport.of(
        new PlanReport.Setting("prompts.csv", "out", "model", "digest", false, 2, 4),
        new PlanReport.Images(toDraw + 10, toDraw, 0, 10, 0, 0, 0, 0),
        List.of(),
        work,
        cost,
        OptionalDouble.of(2));
  }

  @Test
  void pricesAreReadAndRounded() {
    for (String text : List.of("2.49 USD", "USD 2.49", "2.49USD")) {
      assertThat(price(text)).isEqualTo(new Price(new BigDecimal("2.49"), "USD"));
    }
    assertThat(price("2").rounded()).hasToString("2.00");
    assertThat(price("0.001234 EUR").rounded()).hasToString("0.0012 EUR");
    assertThat(price("1234.567").rounded()).hasToString("1234.57");
  }

  private static Price price(String text) {
    return GenerationOptions.parse(Map.of("device-hour-price", text))
        .get(PlanOptions.DEVICE_HOUR_PRICE);
  }
}
