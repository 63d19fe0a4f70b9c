package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.OptionRegistry;
import io.lightmill.udfs.option.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What users copy from {@code conf/examples} keeps working. */
class ExamplesTest {

  private static final Path EXAMPLES = Path.of("conf/examples");

  @ParameterizedTest
  @ValueSource(strings = {"catalogue", "campaign"})
  void anExampleReadsTheTableBesideIt(String name) {
    GenerationOptions options = options(name);
    assertThat(options.get(Options.INPUT)).isEqualTo("conf/examples/" + name + ".csv");
    assertThat(options.get(Options.OUTPUT_DIRECTORY)).isEqualTo("out/" + name);
    assertThat(options.get(ModelOptions.CHECKPOINT)).isEqualTo("builtin:pocket");
    List<Row> rows = table(options).collectAsList();
    assertThat(rows).isNotEmpty();
    String id = options.entries(Options.COLUMN).getOrDefault("id", "id");
    assertThat(rows.stream().map(row -> row.<String>getAs(id)))
        .doesNotContainNull()
        .doesNotHaveDuplicates();
  }

  @Test
  void theCatalogueHasTheColumnsOfItsTemplate() {
    GenerationOptions options = options("catalogue");
    Dataset<Row> table = table(options);
    assertThat(table.count()).isEqualTo(24);
    assertThat(options.find(Options.PROMPT_TEMPLATE)).contains("{color} {name} on {background}");
    assertThat(table.columns()).contains("color", "name", "background", "sku");
  }

  @Test
  void theCampaignAsksForSizesThatEveryCheckpointTakes() {
    for (Row row : table(options("campaign")).collectAsList()) {
      assertThat(Integer.parseInt(row.getAs("width")) % 16).isZero();
      assertThat(Integer.parseInt(row.getAs("height")) % 16).isZero();
    }
  }

  @Test
  void theNotebookIsValidAndHasNoOutputs() throws IOException {
    JsonNode notebook = new ObjectMapper().readTree(EXAMPLES.resolve("notebook.ipynb").toFile());
    assertThat(notebook.path("nbformat").asInt()).isEqualTo(4);
    assertThat(notebook.path("nbformat_minor").asInt()).isGreaterThanOrEqualTo(5);
    Set<String> ids = new HashSet<>();
    for (JsonNode cell : notebook.path("cells")) {
      assertThat(ids.add(cell.path("id").asText())).isTrue();
      assertThat(cell.has("source")).isTrue();
      if (cell.path("cell_type").asText().equals("code")) {
        assertThat(cell.path("outputs").isEmpty()).isTrue();
        assertThat(cell.path("execution_count").isNull()).isTrue();
      } else {
        assertThat(cell.path("cell_type").asText()).isEqualTo("markdown");
      }
    }
    assertThat(ids).hasSizeGreaterThan(10);
  }

  @ParameterizedTest
  @ValueSource(strings = {"notebook.ipynb", "notebook.scala", "generate.scala"})
  void optionsInNotebooksExistAndPathsAreRelative(String name) throws IOException {
    String text = Files.readString(EXAMPLES.resolve(name)).replace("\\\"", "\"");
    assertThat(text).doesNotContainPattern("/(home|root|tmp|Users)/");
    Matcher option = Pattern.compile("\\.option\\(\"([^\"]+)\"").matcher(text);
    Set<String> used = new HashSet<>();
    while (option.find()) {
      used.add(option.group(1));
    }
    assertThat(used).contains("checkpoint", "num-inference-steps", "image-bytes");
    used.remove("image-bytes"); // of reading
    assertThat(used).allMatch(key -> OptionRegistry.named(key).isPresent());
  }

  private static GenerationOptions options(String name) {
    return ParsedGenerate.of("--config=" + EXAMPLES.resolve(name + ".yaml")).options();
  }

  private static Dataset<Row> table(GenerationOptions options) {
    return TestSpark.session().read().option("header", true).csv(options.get(Options.INPUT));
  }
}
