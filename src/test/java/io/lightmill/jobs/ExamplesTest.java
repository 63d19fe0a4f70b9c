package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import java.nio.file.Path;
import java.util.List;
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
    assertThat(options.get(Options.CHECKPOINT)).isEqualTo("builtin:pocket");
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

  private static GenerationOptions options(String name) {
    return ParsedGenerate.of("--config=" + EXAMPLES.resolve(name + ".yaml")).options();
  }

  private static Dataset<Row> table(GenerationOptions options) {
    return TestSpark.session().read().option("header", true).csv(options.get(Options.INPUT));
  }
}
