package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.browser.Chromium;
import io.lightmill.udfs.TestTables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/** The page of a run in a browser, opened from the disk. */
@Tag("browser")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RunPageBrowserTest {

  private static final int COUNT = 1_450; // so that files are beside the page

  private Path output;
  private Chromium chromium;

  @BeforeAll
  void makePage(@TempDir Path directory) {
    output = directory;
    PaintedRun run = new PaintedRun(COUNT, 64);
    run.store(output, run.rows(), "first run");
    chromium = Chromium.start(1280, 900);
  }

  @AfterAll
  void closeBrowser() {
    chromium.close();
  }

  @BeforeEach
  void openPage() {
    chromium.errors(); // of the test before
    chromium.open(output.resolve("report.html").toUri().toString());
    picturesAreShown();
  }

  @Test
  void fewTilesAreInThePageAndTheirPicturesAreLoadedWithTheWindow() {
    long tiles = chromium.elements(".tile").size();
    assertThat(tiles).isBetween(6L, 60L);

    chromium.script("scrollTo(0, document.body.scrollHeight)");
    chromium.until("document.querySelector('[aria-posinset=\"%d\"]')".formatted(COUNT));
    picturesAreShown();
    assertThat(chromium.elements(".tile").size()).isBetween(6, 60);
    assertThat(chromium.errors()).isEmpty();
  }

  @Test
  void statusAndSearchAreFiltersAndAReasonIsOneToo() {
    chromium.element(".filters [data-status=failed]").click();
    assertThat(chromium.element("#count").getText()).isEqualTo("15 of 1,450");
    assertThat(chromium.texts(".why"))
        .isNotEmpty()
        .allMatch(text -> text.startsWith("failed\nan image of 64 × 64 pixels needs more memory"));

    chromium.element("#search").sendKeys("00113");
    assertThat(chromium.texts(".name b")).containsExactly("00113");
    chromium.element("#search").sendKeys(" no such words");
    assertThat(chromium.element("#none").isDisplayed()).isTrue();

    chromium.element("#search").clear();
    chromium.element("[data-reason='2']").click();
    assertThat(chromium.element("#reason").getText())
        .startsWith("Only blocked · PROMPT_BLOCKED · violence: ");
    assertThat(chromium.element("#count").getText()).isEqualTo("15 of 1,450");
    chromium.element("#reason button").click();
    assertThat(chromium.element("#count").getText()).isEqualTo("1,450 shown");
  }

  @Test
  void aRowIsCopiedAsItsTableHasIt() throws IOException {
    chromium.element("#search").sendKeys("00002");
    chromium.element(".tile button").click();
    chromium.until("document.querySelectorAll('.actions button').length > 1");
    chromium.elements(".actions button").get(0).click();
    chromium.until("document.querySelector('.actions output').textContent === 'copied'");
    String csv = chromium.clipboard();
    chromium.elements(".actions button").get(1).click();
    chromium.until(
        "navigator.clipboard.readText().then(text => window.copied = text) && (window.copied ||"
            + " '')[0] === '{'");

    Row fromCsv = read("copied.csv", csv);
    Row fromJson = read("copied.jsonl", chromium.script("return window.copied"));
    for (Row row : List.of(fromCsv, fromJson)) {
      assertThat(row.<String>getAs("id")).isEqualTo("00002");
      assertThat(row.<Long>getAs("seed")).isEqualTo(Long.MAX_VALUE - 2);
      assertThat(row.<Integer>getAs("num_inference_steps")).isEqualTo(28);
      assertThat(row.<Double>getAs("guidance_scale")).isEqualTo(3.5);
      assertThat(row.<String>getAs("prompt")).endsWith("number 2");
    }
  }

  @Test
  void keysMoveThroughThePictures() {
    chromium.script("document.querySelector('.tile button').focus()");
    chromium.driver().switchTo().activeElement().sendKeys(Keys.ARROW_RIGHT);
    chromium.driver().switchTo().activeElement().sendKeys(Keys.END);
    assertThat(chromium.driver().switchTo().activeElement().getDomAttribute("aria-label"))
        .startsWith("01449, generated: ");
    chromium.driver().switchTo().activeElement().sendKeys(Keys.HOME);
    chromium.driver().switchTo().activeElement().sendKeys(Keys.ARROW_RIGHT, Keys.ENTER);
    assertThat(chromium.element("dialog h2").getText()).isEqualTo("00001");
    chromium.driver().switchTo().activeElement().sendKeys(Keys.ARROW_RIGHT);
    assertThat(chromium.element("dialog h2").getText()).isEqualTo("00002");
    chromium.driver().switchTo().activeElement().sendKeys(Keys.ESCAPE);
    chromium.until("!document.querySelector('dialog').open");
    assertThat(chromium.driver().switchTo().activeElement().getDomAttribute("aria-label"))
        .startsWith("00002, ");
  }

  @Test
  void aPageWithoutItsFilesSaysSo(@TempDir Path elsewhere) throws IOException {
    Path alone = elsewhere.resolve("report.html");
    FileUtils.copyFile(output.resolve("report.html").toFile(), alone.toFile());
    chromium.open(alone.toUri().toString());
    chromium.until("!document.getElementById('missing').hidden");
    assertThat(chromium.element("#missing").getText()).contains("report/first run");
    chromium.errors(); // of the files that are missing
  }

  @Test
  void hostileTextRunsNothing(@TempDir Path other) {
    String text = "</script><img src=x onerror='document.title=\"hit\"'><b>bold</b>";
    java.util.Map<String, Object> values = new java.util.HashMap<>();
    values.put("id", text);
    values.put("variant", 0);
    values.put("prompt", text);
    values.put("status", "failed");
    values.put("error_code", "ENGINE_FAILED");
    values.put("error_message", text);
    values.put("created_at", PaintedRun.STARTED.toEpochMilli() * 1000);
    new PaintedRun(1, 16).store(other, PaintedRun.table(List.of(PaintedRun.row(values))), "first");
    chromium.open(other.resolve("report.html").toUri().toString());
    chromium.element(".tile button").click();
    chromium.until("document.querySelectorAll('.side dl').length === 2");

    assertThat(chromium.element("dialog h2").getText()).isEqualTo(text);
    assertThat(chromium.elements("img, b b, dialog b b")).isEmpty();
    assertThat(chromium.driver().getTitle()).isEqualTo("Run first");
    assertThat(chromium.errors()).isEmpty();
  }

  private Row read(String name, String text) throws IOException {
    Path file = output.resolve(name);
    Files.writeString(file, text);
    return TestTables.planned(file.toString()).collectAsList().get(0);
  }

  private void picturesAreShown() {
    chromium.until(
        "document.querySelectorAll('.tile img[src]').length > 5 &&"
            + " [...document.querySelectorAll('.tile img[src]')].every(i => i.naturalWidth > 0)");
  }
}
