package io.lightmill.udfs.report;

import io.lightmill.browser.Chromium;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.TestSpark;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.openqa.selenium.Keys;

/**
 * The page of a run with many images, in Chromium: {@code ReportBench DIRECTORY IMAGES}. Prints the
 * sizes of the page, the time to its first paint and that of its filters, and takes screenshots.
 */
final class ReportBench {

  private static final int TIMES = 5;
  private static final int SIDE = 512;

  /** From an input of the search to the frame after it. */
  private static final String FILTER =
      """
      const [text, done] = arguments;
      const search = document.getElementById('search');
      requestAnimationFrame(() => {
        const start = performance.now();
        search.value = text;
        search.dispatchEvent(new Event('input'));
        requestAnimationFrame(() => {
          const channel = new MessageChannel(); // after the frame has been painted
          channel.port1.onmessage = () => done(performance.now() - start);
          channel.port2.postMessage(0);
        });
      });
      """;

  private ReportBench() {}

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    int count = Integer.parseInt(arguments[1]);
    make(directory, count);
    try (Chromium chromium = Chromium.start(1280, 900)) {
      measure(chromium, directory);
      shoot(chromium, directory);
    }
    TestSpark.session().stop();
  }

  private static void make(Path directory, int count) throws IOException {
    PaintedRun run = new PaintedRun(count, SIDE);
    List<Row> rows = run.rows().collectAsList();
    Dataset<Row> table = TestSpark.session().createDataFrame(rows, rows.get(0).schema());
    Map<ImageStatus, Long> counts = PaintedRun.counts(rows);
    long cpu = cpu();
    long start = System.nanoTime();
    run.store(directory, table, "bench");
    System.out.printf(
        "%d rows %s: page written in %.1f s (CPU of all threads %.1f s)%n",
        count, counts, (System.nanoTime() - start) / 1e9, (cpu() - cpu) / 1e9);
    Files.createDirectories(directory.resolve("images"));
    for (int i = 0; i < 40; i++) {
      Files.write(
          directory.resolve("images/" + PaintedRun.imageId(i) + ".png"),
          io.lightmill.pipeline.image.ImageEncoder.png(run.image(i)));
    }
    try (Stream<Path> files = Files.walk(directory.resolve("report"))) {
      long[] sizes = files.filter(Files::isRegularFile).mapToLong(ReportBench::size).toArray();
      long thumbnails =
          rows.stream()
              .map(row -> row.<byte[]>getAs("lightmill_thumbnail"))
              .filter(file -> file != null)
              .mapToLong(file -> file.length)
              .sum();
      System.out.printf(
          "page %,d bytes; %d files beside it, %,d bytes, each %,d at most; thumbnails %,d bytes on"
              + " average%n",
          size(directory.resolve("report.html")),
          sizes.length,
          Arrays.stream(sizes).sum(),
          Arrays.stream(sizes).max().orElse(0),
          thumbnails / Math.max(1, counts.getOrDefault(ImageStatus.GENERATED, 1L)));
    } catch (java.nio.file.NoSuchFileException e) {
      System.out.printf(
          "page %,d bytes, nothing beside it%n", size(directory.resolve("report.html")));
    }
  }

  private static long cpu() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void measure(Chromium chromium, Path directory) {
    List<Double> paints = new ArrayList<>();
    for (int i = 0; i < TIMES; i++) {
      chromium.open("about:blank").open(directory.resolve("report.html").toUri().toString());
      chromium.until("performance.getEntriesByName('first-contentful-paint').length == 1");
      chromium.until("document.querySelectorAll('.tile img[src]').length > 10");
      paints.add(
          chromium
              .<Number>script(
                  "return performance.getEntriesByName('first-contentful-paint')[0].startTime")
              .doubleValue());
    }
    System.out.printf("first contentful paint: %s ms%n", shown(paints));
    System.out.printf(
        "page interactive (script done): %.0f ms; elements %d, tiles %d; images loaded %d%n",
        chromium
            .<Number>script(
                "return performance.timing.domContentLoadedEventEnd -"
                    + " performance.timing.navigationStart")
            .doubleValue(),
        chromium.<Number>script("return document.getElementsByTagName('*').length").longValue(),
        chromium.elements(".tile").size(),
        chromium.elements(".tile img[src]").size());
    List<Double> filters = new ArrayList<>();
    for (String text :
        List.of("teapot", "teapot wet", "number 99", "", "a", "nothing like it", "S", "")) {
      filters.add(chromium.<Number>promised(FILTER, text).doubleValue());
      System.out.printf(
          "  '%s': %s in %.0f ms%n",
          text, chromium.element("#count").getText(), filters.get(filters.size() - 1));
    }
    System.out.printf("filter until the next frame: %s ms%n", shown(filters));
    System.out.println("errors of the console: " + chromium.errors());
  }

  private static String shown(List<Double> values) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return "median %.0f, at most %.0f"
        .formatted(sorted.get(sorted.size() / 2), sorted.get(sorted.size() - 1));
  }

  private static void shoot(Chromium chromium, Path directory) {
    String page = directory.resolve("report.html").toUri().toString();
    String images =
        "[...document.querySelectorAll('.tile img')].every(i => i.complete && i.naturalWidth > 0)";
    chromium.size(1280, 900);
    chromium.open(page);
    chromium.until(images);
    chromium.screenshot(directory.resolve("top.png"));
    chromium.script("document.querySelector('main').scrollIntoView()");
    chromium.until(images);
    chromium.screenshot(directory.resolve("pictures.png"));
    chromium.element("#search").sendKeys("teapot wet");
    chromium.until(images);
    chromium.screenshot(directory.resolve("search.png"));
    chromium.script("document.getElementById('search').value = ''");
    chromium.element(".filters [data-status=blocked]").click();
    chromium.screenshot(directory.resolve("blocked.png"));
    chromium.element(".filters [data-status='']").click();
    chromium.element(".tile button").click();
    chromium.until("document.querySelector('.large img')?.complete");
    chromium.screenshot(directory.resolve("details.png"));
    chromium.element("dialog").sendKeys(Keys.ESCAPE);
    chromium.dark();
    chromium.open(page);
    chromium.until(images);
    chromium.screenshot(directory.resolve("dark.png"));
    chromium.size(390, 844);
    chromium.open(page);
    chromium.until(images);
    chromium.screenshot(directory.resolve("narrow.png"));
    chromium.script("document.querySelector('main').scrollIntoView()");
    chromium.until(images);
    chromium.screenshot(directory.resolve("narrow-pictures.png"));
    chromium.element(".tile button").click();
    chromium.until("document.querySelector('.large img')?.complete");
    chromium.screenshot(directory.resolve("narrow-details.png"));
  }
}
