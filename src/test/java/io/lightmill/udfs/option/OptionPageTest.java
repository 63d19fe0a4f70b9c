package io.lightmill.udfs.option;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code OPTIONS.md} is the registry of options as a page. {@link #main} writes it. */
class OptionPageTest {

  private static final Path PAGE = Path.of("OPTIONS.md");

  private static final String HEAD =
      """
      # Options

      The options of a run are the same everywhere: on the command line (`--batch-size 4`), as keys of a YAML job file (`batch-size: 4`), as
      options of the Java API and of `df.write.format("lightmill")` (`batch-size` or `batch_size`, in any case), and as named arguments in SQL
      (`batch_size => 4`). Maps take one entry at a time (`--column prompt=caption`, `column.prompt`) or a list (`prompt=caption,id=sku`).
      On the command line a flag needs no value (`--force`). This page is written from the registry of options; do not edit it.
      """;

  @Test
  void thePageIsWrittenFromTheRegistry() throws IOException {
    assertThat(Files.readString(PAGE))
        .as("run OptionPageTest.main in the directory of the checkout to write %s", PAGE)
        .isEqualTo(page());
  }

  public static void main(String... arguments) throws IOException {
    Files.writeString(PAGE, page());
  }

  private static String page() {
    StringBuilder page = new StringBuilder(HEAD);
    for (OptionGroup group : OptionGroup.values()) {
      page.append("\n## ").append(group.title()).append("\n");
      if (group == OptionGroup.SPARK) {
        page.append("\nOn the command line and in job files only: other callers have a session.\n");
      }
      if (group == OptionGroup.COMMAND) {
        page.append("\nOn the command line and in job files only: other callers get the result.\n");
      }
      page.append("\n| option | value | meaning |\n|---|---|---|\n");
      OptionRegistry.all().stream()
          .filter(option -> option.group() == group)
          .map(OptionPageTest::row)
          .forEach(page::append);
    }
    return page.toString();
  }

  private static String row(Option<?> option) {
    return "| `%s` | %s | %s |\n"
        .formatted(
            option.key(),
            option.type().shape() == OptionType.Shape.FLAG ? "true, false" : option.label(),
            option.description().replace("|", "\\|"));
  }
}
