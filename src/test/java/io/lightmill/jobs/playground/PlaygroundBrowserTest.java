package io.lightmill.jobs.playground;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.browser.Chromium;
import io.lightmill.udfs.TestTables;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.playground.Playground;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/** The page of the playground in a browser, with the checkpoint that ships. */
@Tag("browser")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PlaygroundBrowserTest {

  private Playground playground;
  private PlaygroundServer server;
  private Chromium chromium;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    Path table = directory.resolve("rows.csv");
    Files.writeString(table, "sku,color,name\nA1,red,mug\nA2,blue,\"tea, pot\"\n");
    playground =
        Playground.open(
            GenerationOptions.parse(
                Map.of(
                    "input",
                    table.toString(),
                    "num-inference-steps",
                    "2",
                    "width",
                    "64",
                    "height",
                    "64")));
    server = PlaygroundServer.start(playground, "127.0.0.1", 0);
    chromium = Chromium.start(1280, 900);
  }

  @AfterAll
  void end() {
    chromium.close();
    server.close();
    playground.close();
  }

  @BeforeEach
  void open() {
    chromium.errors(); // of the test before
    chromium.open(server.address());
    chromium.until("document.body.dataset.ready");
  }

  @Test
  void picturesOfTwoSeedsAppearSideBySideAndTheCopiedRowDrawsOneOfThem(@TempDir Path directory)
      throws IOException {
    chromium.element("#prompt").sendKeys("a red mug");
    chromium.element("#seed").sendKeys("5");
    chromium.element("#num_images_per_prompt").clear();
    chromium.element("#num_images_per_prompt").sendKeys("2", Keys.chord(Keys.CONTROL, Keys.ENTER));
    chromium.until("document.querySelectorAll('.picture img').length === 2");
    chromium.until(
        "[...document.querySelectorAll('.picture img')].every(i => i.naturalWidth === 64)");
    int left = chromium.elements(".picture").get(0).getLocation().getX();
    assertThat(chromium.elements(".picture").get(1).getLocation().getX()).isGreaterThan(left);
    assertThat(chromium.elements(".picture").get(1).getLocation().getY())
        .isEqualTo(chromium.elements(".picture").get(0).getLocation().getY());
    assertThat(chromium.texts(".caption span"))
        .satisfiesExactly(
            first -> assertThat(first).startsWith("seed 5 · "),
            second -> assertThat(second).startsWith("seed 6 · "));

    chromium.elements(".caption button").get(1).click();
    chromium.element("[data-copy=row]").click();
    chromium.until("document.getElementById('copied').textContent === 'copied'");
    Path table = directory.resolve("prompts.csv");
    Files.writeString(table, chromium.clipboard());
    Row row = TestTables.planned(table.toString()).collectAsList().get(0);
    assertThat(row.<String>getAs("prompt")).isEqualTo("a red mug");
    assertThat(row.<Long>getAs("seed")).isEqualTo(6);
    assertThat(row.<Integer>getAs("width")).isEqualTo(64);
    assertThat(row.<Integer>getAs("num_inference_steps")).isEqualTo(2);
    assertThat(chromium.errors()).isEmpty();
  }

  @Test
  void twoSettingsAreComparedWithOneSeed() {
    chromium.element("#prompt").sendKeys("a blue mug");
    chromium.element("#compare").click();
    chromium.element("#b-steps").sendKeys("3");
    chromium.element("#draw").click();
    chromium.until("document.querySelectorAll('.side .picture img').length === 2");

    assertThat(chromium.texts(".side h3"))
        .containsExactly("A: num_inference_steps 2", "B: num_inference_steps 3");
    assertThat(
            chromium.texts(".caption span").stream()
                .map(text -> StringUtils.substringBefore(text, " · "))
                .distinct())
        .hasSize(1);
  }

  @Test
  void aBlockedPromptSaysWhy() {
    chromium.element("#prompt").sendKeys("a bloody corpse, gore");
    chromium.element("#draw").click();
    chromium.until("document.querySelector('.picture.blocked')");

    assertThat(chromium.element(".why").getText()).startsWith("blocked\n").contains("gore");
    assertThat(chromium.elements(".picture img")).isEmpty();
  }

  @Test
  void aTemplateIsFilledFromARowOfTheTableAndFromAPastedOne() {
    chromium.element("#table summary").click();
    chromium.element("#template").sendKeys("a {color} {name}");
    assertThat(chromium.element("#cell-name").getDomProperty("value")).isEqualTo("mug");
    chromium.script(
        "const rows = document.getElementById('rows'); rows.value = 1; rows.dispatchEvent(new"
            + " Event('change'))");
    assertThat(chromium.element("#cell-name").getDomProperty("value")).isEqualTo("tea, pot");
    chromium.element("#paste").sendKeys("{\"color\":\"green\",\"name\":\"vase\",\"steps\":1}");
    chromium.element("#use-row").click();
    chromium.until("document.getElementById('cell-name').value === 'vase'");
    chromium.element("#draw").click();
    chromium.until("document.querySelector('.picture img')");

    assertThat(chromium.element(".picture img").getDomAttribute("alt")).isEqualTo("a green vase");
  }

  @Test
  void aDrawingIsCancelled() {
    chromium.element("#prompt").sendKeys("a slow mug");
    chromium.element("#num_inference_steps").sendKeys("1000");
    chromium.element("#draw").click();
    chromium.until("document.querySelector('.state progress')?.value > 0");
    chromium.element("#cancel").click();
    chromium.until("!document.getElementById('draw').disabled");

    assertThat(chromium.element(".state").getText()).isEqualTo("cancelled");
  }

  @Test
  void hostileTextRunsNothing() {
    chromium.element("#prompt").sendKeys("<img src=x onerror='document.title=1'> a mug");
    chromium.element("#draw").click();
    chromium.until("document.querySelector('.picture img')");

    assertThat(chromium.element(".run > p").getText()).startsWith("<img src=x");
    assertThat(chromium.driver().getTitle()).isEqualTo("Lightmill playground");
    assertThat(chromium.errors()).isEmpty();
  }
}
