package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.GenerationSettings;
import io.lightmill.udfs.TestSpark;
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
    GenerationSettings settings = settings(name);
    assertThat(settings.table().location()).isEqualTo("conf/examples/" + name + ".csv");
    assertThat(settings.output()).isEqualTo("out/" + name);
    assertThat(settings.checkpoint()).isEqualTo("builtin:pocket");
    List<Row> rows = table(settings).collectAsList();
    assertThat(rows).isNotEmpty();
    String id = settings.table().columns().getOrDefault("id", "id");
    assertThat(rows.stream().map(row -> row.<String>getAs(id)))
        .doesNotContainNull()
        .doesNotHaveDuplicates();
  }

  @Test
  void theCatalogueHasTheColumnsOfItsTemplate() {
    GenerationSettings settings = settings("catalogue");
    Dataset<Row> table = table(settings);
    assertThat(table.count()).isEqualTo(24);
    assertThat(settings.table().promptTemplate()).contains("{color} {name} on {background}");
    assertThat(table.columns()).contains("color", "name", "background", "sku");
  }

  @Test
  void theCampaignAsksForSizesThatEveryCheckpointTakes() {
    for (Row row : table(settings("campaign")).collectAsList()) {
      assertThat(Integer.parseInt(row.getAs("width")) % 16).isZero();
      assertThat(Integer.parseInt(row.getAs("height")) % 16).isZero();
    }
  }

  private static GenerationSettings settings(String name) {
    return ParsedGenerate.of("--config=" + EXAMPLES.resolve(name + ".yaml")).settings();
  }

  private static Dataset<Row> table(GenerationSettings settings) {
    return TestSpark.session().read().option("header", true).csv(settings.table().location());
  }
}
