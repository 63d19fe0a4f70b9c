package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.progress.ProgressPlugin;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scrapes the text that Spark's user interface has for Prometheus, as Prometheus does. */
class MetricsEndpointTest {

  private static final Pattern SAMPLE =
      Pattern.compile("metrics_mill_driver_(lightmill\\w+)_(?:Value|Count)\\{[^}]*} (\\S+)");

  @TempDir Path directory;

  private SparkSession spark;

  @AfterEach
  void stop() {
    spark.stop();
  }

  @Test
  void prometheusReadsWhatRunsDid() throws IOException, InterruptedException {
    TestSpark.session().stop();
    spark =
        SparkSession.builder()
            .master("local[2]")
            .appName("metrics")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", true)
            .config("spark.ui.port", 0)
            .config("spark.metrics.namespace", "mill")
            .config(
                "spark.metrics.conf.*.sink.prometheusServlet.class",
                "org.apache.spark.metrics.sink.PrometheusServlet")
            .config("spark.metrics.conf.*.sink.prometheusServlet.path", "/metrics/prometheus")
            .config("spark.sql.shuffle.partitions", 2)
            .config("spark.plugins", ProgressPlugin.class.getName())
            .getOrCreate();
    Map<String, Double> before = new HashMap<>();
    List<Double> queued = new CopyOnWriteArrayList<>();
    List<String> table =
        new ArrayList<>(
            List.of("id,prompt,width", "1,a mug,32", "2,a bowl,32", "3,a jug,33", "4,gore,32"));
    RunListener scraping =
        new RunListener() {
          @Override
          public void planned(long images, long toGenerate) {
            Map<String, Double> now = scraped();
            before.putAll(now); // of the last run, since other tests may have counted images
            queued.add(now.get("lightmill_queue_depth"));
          }
        };
    SolidColorPipeline pipeline = new SolidColorPipeline();
    TestJob.in(directory, table).session(spark).progress(scraping).run(pipeline);
    table.add("5,a plate,32");
    TestJob.in(directory, table).session(spark).runId("next").progress(scraping).run(pipeline);

    Map<String, Double> after = scraped();
    Map<String, Double> counted = new HashMap<>();
    after.forEach((name, value) -> counted.put(name, value - before.getOrDefault(name, 0.0)));
    assertThat(queued).containsExactly(2.0, 1.0);
    assertThat(after).containsEntry("lightmill_queue_depth", 0.0);
    assertThat(after).containsEntry("lightmill_runs_active", 0.0);
    for (String source : List.of("lightmill_", "lightmill_executor_")) {
      assertThat(counted)
          .containsEntry(source + "images_generated", 1.0)
          .containsEntry(source + "images_reused", 2.0)
          .containsEntry(source + "images_invalid", 1.0)
          .containsEntry(source + "images_blocked", 1.0)
          .containsEntry(source + "images_failed", 0.0);
      assertThat(counted.get(source + "device_seconds")).isPositive();
    }
    assertThat(get("/metrics/executors/prometheus")).contains("spark_info");
  }

  private Map<String, Double> scraped() {
    Map<String, Double> samples = new HashMap<>();
    Matcher sample = SAMPLE.matcher(get("/metrics/prometheus/"));
    while (sample.find()) {
      samples.put(sample.group(1), Double.valueOf(sample.group(2)));
    }
    return samples;
  }

  private String get(String path) {
    URI uri = URI.create(spark.sparkContext().uiWebUrl().get() + path);
    try {
      return HttpClient.newBuilder()
          .followRedirects(HttpClient.Redirect.NORMAL)
          .build()
          .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
          .body();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
