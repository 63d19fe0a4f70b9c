package io.lightmill.browser;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** A headless Chromium of this machine, which looks for nothing on the network. */
public final class Chromium implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final ChromeDriver driver;

  private Chromium(ChromeDriver driver) {
    this.driver = driver;
    driver.manage().timeouts().scriptTimeout(PATIENCE);
  }

  /** Starts it with a window of this size, in CSS pixels. */
  public static Chromium start(int width, int height) {
    ChromeOptions options = new ChromeOptions();
    options.setBinary("/usr/bin/chromium");
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--window-size=" + width + "," + height);
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    options.setCapability("goog:loggingPrefs", logs);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(Path.of("/usr/bin/chromedriver").toFile())
            .usingAnyFreePort()
            .build();
    Chromium chromium = new Chromium(new ChromeDriver(service, options));
    chromium.command(
        "Browser.grantPermissions",
        Map.of("permissions", List.of("clipboardReadWrite", "clipboardSanitizedWrite")));
    return chromium;
  }

  public ChromeDriver driver() {
    return driver;
  }

  /** Opens a page and waits until it has loaded. */
  public Chromium open(String address) {
    driver.get(address);
    return this;
  }

  /** A command of the DevTools protocol. */
  public void command(String name, Map<String, Object> parameters) {
    driver.executeCdpCommand(name, parameters);
  }

  /** The size of the page, as of a telephone if it is small. */
  public void size(int width, int height) {
    command(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
  }

  /** A page for eyes that are used to the dark. */
  public void dark() {
    command(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", "dark"))));
  }

  /** The element of this CSS selector, once it is in the page. */
  public WebElement element(String selector) {
    until("document.querySelector(\"%s\") !== null".formatted(selector));
    return driver.findElement(By.cssSelector(selector));
  }

  public List<WebElement> elements(String selector) {
    return driver.findElements(By.cssSelector(selector));
  }

  public List<String> texts(String selector) {
    return elements(selector).stream().map(WebElement::getText).toList();
  }

  /**
   * Waits until an expression of the page is true.
   *
   * @throws org.openqa.selenium.ScriptTimeoutException if it does not become true
   */
  public void until(String expression) {
    promised(
        """
        const done = arguments[0];
        const look = () => { if (%s) done(); else setTimeout(look, 5); };
        look();
        """
            .formatted(expression));
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // as executeScript
  public <T> T script(String body, Object... arguments) {
    return (T) driver.executeScript(body, arguments);
  }

  /** What a body hands to its last argument, a function. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // as executeAsyncScript
  public <T> T promised(String body, Object... arguments) {
    return (T) driver.executeAsyncScript(body, arguments);
  }

  /** The text that the page has copied. */
  public String clipboard() {
    return promised("const done = arguments[0]; navigator.clipboard.readText().then(done, done);");
  }

  /** Errors and refusals that the console of the page shows, and forgets. */
  public List<String> errors() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
        .map(entry -> entry.getMessage())
        .toList();
  }

  /** Writes a picture of the window. */
  public void screenshot(Path file) {
    try {
      Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    driver.quit();
  }
}
