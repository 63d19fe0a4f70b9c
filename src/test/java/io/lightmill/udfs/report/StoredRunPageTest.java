package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoredRunPageTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path output;

  @Test
  void aSmallPageHasEverythingInside() throws IOException {
    PaintedRun run = new PaintedRun(4, 32);
    run.store(output, run.rows(), "first");

    try (Stream<Path> files = Files.list(output)) {
      assertThat(files).containsExactly(output.resolve("report.html"));
    }
    String page = page();
    JsonNode index = index(page);
    assertThat(texts(index.get("id"))).containsExactly("00000", "00001", "00002", "00003");
    assertThat(index.get("path").get(1).asText())
        .isEqualTo("images/" + PaintedRun.imageId(1) + ".png");
    JsonNode picture = chunk(page).get(1);
    assertThat(picture.get("thumbnail").binaryValue()).startsWith('R', 'I', 'F', 'F');
    assertThat(picture.get("row").get("seed").get(0).asText())
        .isEqualTo(Long.toString(Long.MAX_VALUE - 1)); // which a double cannot hold
    assertThat(picture.get("row").get("sku").asText()).isEqualTo("S-00001");
    assertThat(picture.get("row").get("num_images_per_prompt").get(0).asText()).isEqualTo("1");
    assertThat(picture.get("facts").get("created_at").asText()).startsWith("2026-05-06T07:08:29.");
    assertThat(page).contains("Shows all rows of the run.");
  }

  @Test
  void ofManyPicturesFilesAreBesideThePageAndThoseOfEarlierRunsAreDeleted() throws IOException {
    List<Row> rows = rows(1500);
    store(rows, "first");
    store(rows, "second");

    try (Stream<Path> files = Files.list(output.resolve("report"))) {
      assertThat(files).containsExactly(output.resolve("report/second"));
    }
    try (Stream<Path> files = Files.list(output.resolve("report/second"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(
              IntStream.range(0, 15).mapToObj("pictures-%03d.js"::formatted).toList());
    }
    assertThat(Files.readString(output.resolve("report/second/pictures-003.js")))
        .startsWith("lightmill(3,[{\"image_id\":")
        .endsWith("}]);")
        .matches("\\p{ASCII}*");
    assertThat(page())
        .contains("data-directory=\"report/second\"")
        .doesNotContain("json\" data-chunk=\"");

    new PaintedRun(2, 16).store(output, new PaintedRun(2, 16).rows(), "third");
    assertThat(output.resolve("report")).doesNotExist();
  }

  @Test
  void smallCopiesOfAnEarlierPageAreReusedFromThePageAndFromItsFiles() throws IOException {
    PaintedRun run = new PaintedRun(2, 32);
    List<Row> drawn = run.rows().collectAsList();
    store(drawn, "first");
    byte[] thumbnail = chunk(page()).get(0).get("thumbnail").binaryValue();

    List<Row> many =
        Stream.concat(drawn.stream().map(StoredRunPageTest::reused), rows(1500).stream()).toList();
    store(many, "second");
    store(drawn.stream().map(StoredRunPageTest::reused).toList(), "third");

    assertThat(chunk(page()).get(0).get("thumbnail").binaryValue()).isEqualTo(thumbnail);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<script type=\"application/json\""
            + " data-chunk=\"0\">[{\"image_id\":\"ID\",\"thumbnail\":\"\\\"><img>\"}]</script>",
        "<script type=\"application/json\""
            + " data-chunk=\"0\">[{\"image_id\":\"ID\",\"thumbnail\":\"AAAA\"}]</script>",
        "<script type=\"application/json\" data-chunk=\"0\">[{\"image_id\":\"ID\",</script>",
        "lightmill(",
        "\0\u0001\uffff",
      })
  void aDamagedEarlierPageGivesNoSmallCopies(String content) throws IOException {
    PaintedRun run = new PaintedRun(1, 32);
    Files.writeString(output.resolve("report.html"), content.replace("ID", PaintedRun.imageId(0)));

    store(run.rows().collectAsList().stream().map(StoredRunPageTest::reused).toList(), "second");

    assertThat(chunk(page()).get(0).get("thumbnail").isNull()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
        "<!-- <script>",
        "\" onerror=\"alert(1)\" x=\"",
        "]]></style></title>\u2028\u2029 &amp; %s \\",
        "👩🏽‍🚀 藍色的馬克杯 \u202eكوب",
      })
  void hostileTextStaysText(String text) throws IOException {
    Map<String, Object> values = new HashMap<>();
    values.put("id", text);
    values.put("variant", 0);
    values.put("sku", text);
    values.put("prompt", text);
    values.put("status", "failed");
    values.put("error_code", "ENGINE_FAILED");
    values.put("error_message", text);
    values.put("verdict", "flagged");
    values.put("verdict_category", text);
    values.put("verdict_rule", text);
    values.put("device", text);
    values.put("path", text);
    values.put("created_at", PaintedRun.STARTED.toEpochMilli() * 1000);
    new PaintedRun(1, 16).store(output, PaintedRun.table(List.of(PaintedRun.row(values))), "first");

    String page = page();
    assertThat(index(page).get("prompt").get(0).asText()).isEqualTo(text);
    assertThat(index(page).get("text").get(0).asText()).isEqualTo(text);
    assertThat(index(page).get("path").get(0).isNull()).isTrue(); // it has no image
    assertThat(chunk(page).get(0).get("row").get("sku").asText()).isEqualTo(text);
    assertThat(StringUtils.countMatches(page, "<script")).isEqualTo(3);
    assertThat(StringUtils.countMatches(page, "</script")).isEqualTo(3);
    assertThat(page.substring(page.indexOf("<header>"), page.indexOf("<script")))
        .doesNotContain("<img", "<!--", " onerror=\"");
  }

  @Test
  void onlyItsOwnScriptRunsAndNothingIsLoadedFromElsewhere() throws IOException {
    PaintedRun run = new PaintedRun(1, 16);
    run.store(output, run.rows(), "first");
    String page = page();

    assertThat(page)
        .contains(
            "default-src 'none'; img-src 'self' file: data:; style-src 'sha256-",
            "base-uri 'none'; form-action 'none'")
        .doesNotContain("unsafe-", "http:", "https:", "<link", "@import", "<iframe", " style=\"");
  }

  @Test
  void anImageInQuarantineIsNotShown() throws IOException {
    Map<String, Object> values = new HashMap<>();
    values.put("id", "1");
    values.put("variant", 0);
    values.put("image_id", PaintedRun.imageId(1));
    values.put("status", "blocked");
    values.put("error_code", "IMAGE_BLOCKED");
    values.put("error_message", "blocked");
    values.put("path", "quarantine/1.png");
    values.put("created_at", PaintedRun.STARTED.toEpochMilli() * 1000);
    new PaintedRun(1, 16).store(output, PaintedRun.table(List.of(PaintedRun.row(values))), "first");

    assertThat(index(page()).get("path").get(0).isNull()).isTrue();
    assertThat(chunk(page()).get(0).get("thumbnail").isNull()).isTrue();
  }

  @Test
  void aSampleSaysSo() throws IOException {
    List<Row> rows = rows(3);
    PagePictures pictures = new PagePictures(new PageRows(rows, 100, 100), List.of(), row -> null);
    RunFacts run =
        new RunFacts(
            "r",
            "m",
            Map.of(io.lightmill.udfs.ImageStatus.GENERATED, 1_000_000L),
            java.time.Duration.ofSeconds(9));

    assertThat(
            RunPage.render(
                new RunPage.Facts(run, PaintedRun.STARTED, 1, 1),
                new PageStatistics(PaintedRun.STARTED, PaintedRun.STARTED),
                pictures,
                java.util.Optional.empty(),
                List.of()))
        .contains("Shows 3 of 1,000,000 rows: a sample that is spread evenly");
  }

  /** Rows without small copies, of which 1,400 need files. */
  private static List<Row> rows(int count) {
    return IntStream.range(0, count).mapToObj(i -> PaintedRun.blocked(i, "rule")).toList();
  }

  private static Row reused(Row row) {
    Map<String, Object> values = new HashMap<>();
    values.put("id", row.getAs("id"));
    values.put("variant", 0);
    values.put("image_id", row.getAs("image_id"));
    values.put("path", row.getAs("path"));
    values.put("status", "reused");
    values.put("created_at", row.getAs("created_at"));
    return PaintedRun.row(values);
  }

  private void store(List<Row> rows, String runId) {
    new PaintedRun(rows.size(), 16).store(output, PaintedRun.table(rows), runId);
  }

  private String page() throws IOException {
    return Files.readString(output.resolve("report.html"));
  }

  private static JsonNode index(String page) throws IOException {
    return JSON.readTree(
        match(page, "<script type=\"application/json\" id=\"index\">([^<]*)</script>"));
  }

  private static JsonNode chunk(String page) throws IOException {
    return JSON.readTree(
        match(page, "<script type=\"application/json\" data-chunk=\"0\">([^<]*)</script>"));
  }

  private static String match(String page, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(page);
    assertThat(matcher.find()).isTrue();
    return matcher.group(1);
  }

  private static List<String> texts(JsonNode array) {
    return IntStream.range(0, array.size()).mapToObj(i -> array.get(i).asText()).toList();
  }
}
