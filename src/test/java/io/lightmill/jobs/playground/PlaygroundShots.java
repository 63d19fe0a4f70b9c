package io.lightmill.jobs.playground;

import io.lightmill.browser.Chromium;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.playground.Playground;
import java.nio.file.Path;
import java.util.Map;
import org.openqa.selenium.Keys;

/** Screenshots of the playground: {@code PlaygroundShots DIRECTORY TABLE.csv}. */
final class PlaygroundShots {

  private PlaygroundShots() {}

  public static void main(String[] arguments) {
    Path directory = Path.of(arguments[0]);
    try (Playground playground =
            Playground.open(GenerationOptions.parse(Map.of("input", arguments[1])));
        PlaygroundServer server = PlaygroundServer.start(playground, "127.0.0.1", 0);
        Chromium chromium = Chromium.start(1120, 700)) {
      chromium.size(1120, 700);
      chromium.open(server.address());
      chromium.until("document.body.dataset.ready");
      chromium.screenshot(directory.resolve("empty.png"));
      chromium.element("#prompt").sendKeys("red mug on wooden table");
      chromium.element("#seed").sendKeys("5");
      chromium.element("#num_images_per_prompt").clear();
      chromium.element("#num_images_per_prompt").sendKeys("2");
      chromium.element("#compare").click();
      chromium.element("#b-steps").sendKeys("2");
      chromium.element("#draw").click();
      chromium.until("document.querySelector('.state progress')?.value > 0.3");
      chromium.screenshot(directory.resolve("drawing.png"));
      chromium.until("document.querySelectorAll('.picture img').length === 4");
      chromium.script("scrollTo(0, 0); document.getElementById('form').scrollTop = 0");
      chromium.screenshot(directory.resolve("compared.png"));
      chromium.elements(".caption button").get(0).click();
      chromium.screenshot(directory.resolve("table.png"));
      chromium.element("dialog").sendKeys(Keys.ESCAPE);
      chromium.element("#compare").click();
      chromium.element("#prompt").clear();
      chromium.element("#prompt").sendKeys("a bloody corpse, gore");
      chromium.element("#draw").click();
      chromium.until("document.querySelector('.picture.blocked')");
      chromium.screenshot(directory.resolve("blocked.png"));
      chromium.element("#table summary").click();
      chromium.element("#template").sendKeys("{color} {name} on {background}");
      chromium.element("#draw").click();
      chromium.until("document.querySelectorAll('.run:first-child .picture img').length === 2");
      chromium.dark();
      chromium.screenshot(directory.resolve("dark.png"));
      chromium.size(390, 844);
      chromium.screenshot(directory.resolve("narrow.png"));
      chromium.script("document.querySelector('main').scrollIntoView()");
      chromium.screenshot(directory.resolve("narrow-results.png"));
    }
  }
}
