package io.lightmill.udfs.report;

import static io.lightmill.udfs.report.PageText.number;
import static io.lightmill.udfs.report.PageText.text;

import io.lightmill.udfs.ImageStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The charts of a run's page, as inline SVG. Shapes stretch with the page; texts are HTML beside
 * them. Each chart says in words what it shows.
 */
record PageChart(String title, String value, String svg, String below) {

  private static final double HEIGHT = 100;

  /** A figure of the page. */
  String html() {
    return """
    <figure class="chart">
    <figcaption><span>%s</span><b>%s</b></figcaption>
    %s
    %s
    </figure>\
    """
        .formatted(text(title), text(value), svg, below);
  }

  /** Generated images and problems in each interval. */
  static PageChart throughput(PageTimeline timeline, double imagesPerSecond) {
    int n = timeline.intervals();
    double most =
        Math.max(
            1,
            IntStream.range(0, n)
                .mapToDouble(i -> timeline.images(i) + timeline.problems(i))
                .max()
                .orElse(1));
    List<String> bars = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      double images = HEIGHT * timeline.images(i) / most;
      double problems = HEIGHT * timeline.problems(i) / most;
      if (images + problems > 0) {
        bars.add(
            "<g><title>%s: %s generated, %s without image</title>%s%s</g>"
                .formatted(
                    span(timeline, i),
                    number(timeline.images(i)),
                    number(timeline.problems(i)),
                    bar("generated", i, 0, images),
                    bar("failed", i, images, problems)));
      }
    }
    String peak = "peak %s/s".formatted(number(most / timeline.seconds()));
    return new PageChart(
        "Throughput",
        imagesPerSecond > 0 ? RunSummary.speed(imagesPerSecond) : "no image generated",
        svg("Images over time, %s".formatted(peak), n, bars),
        axis(timeline, peak));
  }

  /**
   * Devices that drew in each interval.
   *
   * @param slots tasks that draw at a time
   */
  static PageChart slots(PageTimeline timeline, int slots) {
    int n = timeline.intervals();
    double[] used = timeline.slotsOf(slots);
    double most = Math.max(slots, Arrays.stream(used).max().orElse(0));
    List<String> bars = new ArrayList<>();
    double sum = 0;
    int drawing = 0;
    for (int i = 0; i < n; i++) {
      double busy = used[i];
      if (busy > 0) {
        sum += busy;
        drawing++;
        bars.add(
            "<g><title>%s: %s of %d slots</title>%s</g>"
                .formatted(
                    span(timeline, i),
                    number(busy),
                    slots,
                    bar("reused", i, 0, HEIGHT * busy / most)));
      }
    }
    String mean = "%s of %d".formatted(number(drawing == 0 ? 0 : sum / drawing), slots);
    return new PageChart(
        "Slots in use",
        mean,
        svg("Slots that draw over time, %s on average while drawing".formatted(mean), n, bars),
        axis(timeline, "mean while drawing"));
  }

  /** The shares of the phases. */
  static PageChart phases(PageStatistics statistics) {
    double all =
        Arrays.stream(PageStatistics.Phase.values()).mapToDouble(statistics::seconds).sum();
    List<String> parts = new ArrayList<>();
    List<String> legend = new ArrayList<>();
    double at = 0;
    for (PageStatistics.Phase phase : PageStatistics.Phase.values()) {
      double seconds = statistics.seconds(phase);
      double share = all > 0 ? 100 * seconds / all : 0;
      String name = phase.name().toLowerCase(Locale.ROOT).replace('_', '-');
      parts.add(
          "<rect class=\"%s\" x=\"%s\" y=\"0\" width=\"%s\" height=\"%s\"/>"
              .formatted(name, decimal(at), decimal(share), decimal(HEIGHT)));
      legend.add(
          "<li class=\"%s\"><span>%s</span><b>%s s</b><i>%s %%</i></li>"
              .formatted(
                  name, phase.label(), number(seconds), String.format(Locale.ROOT, "%.1f", share)));
      at += share;
    }
    return new PageChart(
        "Time by phase",
        all < 100
            ? number(all) + " s"
            : PageText.duration(Duration.ofMillis(Math.round(all * 1000))),
        """
        <svg class="shares" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" \
        aria-label="Shares of the phases, listed below">%s</svg>\
        """
            .formatted(String.join("", parts)),
        "<ul class=\"phases\">%s</ul>".formatted(String.join("\n", legend)));
  }

  /** Rows by status as one bar. */
  static String statuses(Map<ImageStatus, Long> statuses) {
    double all = Math.max(1, statuses.values().stream().mapToLong(Long::longValue).sum());
    StringBuilder parts = new StringBuilder();
    double at = 0;
    for (Map.Entry<ImageStatus, Long> each : statuses.entrySet()) {
      double share = 100 * each.getValue() / all;
      parts.append(
          "<rect class=\"%s\" x=\"%s\" width=\"%s\" height=\"1\"/>"
              .formatted(each.getKey().label(), decimal(at), decimal(share)));
      at += share;
    }
    return """
    <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" \
    aria-label="%s">%s</svg>\
    """
        .formatted(
            statuses.entrySet().stream()
                .map(each -> number(each.getValue()) + " " + each.getKey().label())
                .collect(Collectors.joining(", ")),
            parts);
  }

  private static String svg(String label, int intervals, List<String> bars) {
    return """
    <svg class="bars" viewBox="0 0 %d 100" preserveAspectRatio="none" role="img" \
    aria-label="%s">%s</svg>\
    """
        .formatted(intervals, text(label), String.join("", bars));
  }

  private static String bar(String style, int interval, double from, double height) {
    return height <= 0
        ? ""
        : "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"0.8\" height=\"%s\"/>"
            .formatted(
                style, decimal(interval + 0.1), decimal(HEIGHT - from - height), decimal(height));
  }

  private static String span(PageTimeline timeline, int interval) {
    return "%s–%s s"
        .formatted(
            number(interval * timeline.seconds()), number((interval + 1) * timeline.seconds()));
  }

  private static String axis(PageTimeline timeline, String note) {
    double end = timeline.intervals() * timeline.seconds();
    return "<p class=\"axis\"><span>0</span><span>%s</span><span>%s</span></p>"
        .formatted(
            text(note),
            end < 10
                ? number(end) + " s"
                : PageText.duration(Duration.ofMillis(Math.round(end * 1000))));
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }
}
