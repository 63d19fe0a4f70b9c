package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.manifest.Manifest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;

class PromptColumnsTest {

  private static PromptColumns assign(
      Map<String, String> columns, String template, String... names) {
    Dataset<Row> rows =
        TestSpark.session()
            .createDataFrame(
                List.<Row>of(),
                DataTypes.createStructType(
                    Arrays.stream(names)
                        .map(n -> DataTypes.createStructField(n, DataTypes.StringType, true))
                        .toList()));
    return PromptColumns.assign(
        rows,
        new PromptInput(
            Optional.empty(),
            "t",
            Optional.empty(),
            columns,
            Optional.ofNullable(template),
            OptionalInt.empty()),
        Manifest.reserved());
  }

  private static void assertRefused(
      ErrorCode code,
      Map<String, String> columns,
      String template,
      List<String> names,
      String said) {
    assertThatThrownBy(() -> assign(columns, template, names.toArray(String[]::new)))
        .isInstanceOfSatisfying(LightmillException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(said);
  }

  @Test
  void columnsServeByNameWithoutCaseAndOthersPassThrough() {
    PromptColumns columns = assign(Map.of(), null, "sku", "Prompt", "WIDTH", "price");

    assertThat(columns.sources())
        .containsOnly(
            Map.entry(RequestColumns.PROMPT, "Prompt"), Map.entry(RequestColumns.WIDTH, "WIDTH"));
    assertThat(columns.passthrough()).containsExactly("sku", "price");
  }

  @Test
  void columnMapNamesTheTablesOwnColumns() {
    PromptColumns columns =
        assign(Map.of("prompt", "caption", "id", "SKU"), null, "sku", "caption", "price");

    assertThat(columns.sources())
        .containsOnly(
            Map.entry(RequestColumns.ID, "sku"), Map.entry(RequestColumns.PROMPT, "caption"));
    assertThat(columns.passthrough()).containsExactly("sku", "caption", "price");
  }

  @Test
  void mappedColumnsPassThroughUnlessTheManifestHasTheirName() {
    PromptColumns columns =
        assign(
            Map.of("prompt", "status", "num_images_per_prompt", "n", "width", "Width"),
            null,
            "id",
            "status",
            "n",
            "Width");

    assertThat(columns.passthrough()).containsExactly("n");
  }

  @Test
  void templateColumnsPassThroughButForThePrompt() {
    PromptColumns columns =
        assign(Map.of(), "{prompt}, {Color}, pipeline light", "prompt", "color", "sku");

    assertThat(columns.template().orElseThrow().columns()).containsExactly("prompt", "color");
    assertThat(columns.sources()).isEmpty();
    assertThat(columns.passthrough()).containsExactly("color", "sku");
  }

  @Test
  void withoutPromptTheLikelyColumnIsSuggested() {
    assertRefused(
        ErrorCode.INPUT_INVALID,
        Map.of(),
        null,
        List.of("sku", "price", "caption"),
        "its columns are sku, price, caption. Name the one that holds the prompts (--column"
            + " prompt=caption)");
    assertRefused(
        ErrorCode.INPUT_INVALID, Map.of(), null, List.of("sku", "promt"), "--column prompt=promt");
  }

  @Test
  void unknownColumnsAreRefusedWithTheClosest() {
    assertRefused(
        ErrorCode.INPUT_INVALID,
        Map.of("prompt", "captoin"),
        null,
        List.of("sku", "caption"),
        "column map prompt= names the column 'captoin', which the prompt table does not have; its"
            + " columns are sku, caption. Did you mean 'caption'?");
    assertRefused(
        ErrorCode.INPUT_INVALID,
        Map.of(),
        "a {colour} mug",
        List.of("sku", "color"),
        "prompt template names the column 'colour', which the prompt table does not have; its"
            + " columns are sku, color. Did you mean 'color'?");
  }

  @Test
  void columnMapForAColumnThatIsNotReadIsRefused() {
    assertRefused(
        ErrorCode.CONFIGURATION_INVALID,
        Map.of("promt", "caption"),
        null,
        List.of("caption"),
        "Lightmill reads no column 'promt', only id, prompt, negative_prompt");
  }

  @Test
  void promptFromTemplateAndColumnMapIsRefused() {
    assertRefused(
        ErrorCode.CONFIGURATION_INVALID,
        Map.of("prompt", "caption"),
        "a {caption}",
        List.of("caption"),
        "give one of the two");
  }

  @Test
  void namesOfTheManifestAreRefusedAsPassthrough() {
    assertRefused(
        ErrorCode.INPUT_INVALID,
        Map.of(),
        null,
        List.of("prompt", "Status"),
        "column 'Status' of the prompt table clashes with the manifest's own column 'status';"
            + " rename it in the table, for instance to 'input_Status'");
    assertRefused(
        ErrorCode.INPUT_INVALID,
        Map.of("prompt", "caption"),
        null,
        List.of("prompt", "caption"),
        "column 'prompt' of the prompt table clashes");
  }
}
