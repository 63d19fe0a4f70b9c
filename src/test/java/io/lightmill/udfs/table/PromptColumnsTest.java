package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.TestTables;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  private static List<String> notices(String... names) {
    return assignment(names).notices();
  }

  private static ColumnAssignment assignment(String... names) {
    Dataset<Row> rows =
        TestSpark.session()
            .createDataFrame(
                List.<Row>of(),
                DataTypes.createStructType(
                    Arrays.stream(names)
                        .map(n -> DataTypes.createStructField(n, DataTypes.StringType, true))
                        .toList()));
    return new ColumnAssignment(
        new PromptTable(rows, List.of(), List.of()), PromptInput.at("t"), Manifest.reserved());
  }

  @Test
  void namesOfOtherToolsAreReadWithANotice() {
    ColumnAssignment assignment =
        assignment("Prompt", "Negative prompt", "Steps", "Guidance-Scale", "numImagesPerPrompt");

    assertThat(assignment.columns().sources())
        .containsOnly(
            Map.entry(RequestColumns.PROMPT, "Prompt"),
            Map.entry(RequestColumns.NEGATIVE_PROMPT, "Negative prompt"),
            Map.entry(RequestColumns.NUM_INFERENCE_STEPS, "Steps"),
            Map.entry(RequestColumns.GUIDANCE_SCALE, "Guidance-Scale"),
            Map.entry(RequestColumns.NUM_IMAGES_PER_PROMPT, "numImagesPerPrompt"));
    assertThat(assignment.columns().passthrough())
        .containsExactly("Negative prompt", "Steps", "Guidance-Scale", "numImagesPerPrompt");
    assertThat(assignment.notices())
        .contains(
            "column 'Negative prompt' is read as negative_prompt",
            "column 'Steps' is read as num_inference_steps")
        .hasSize(4);
    assertThat(assign(Map.of(), null, "prompt", "negative").sources())
        .containsEntry(RequestColumns.NEGATIVE_PROMPT, "negative");
  }

  @Test
  void aColumnThatIsMappedIsNotReadTwice() {
    assertThat(assign(Map.of("prompt", "steps"), null, "steps").sources())
        .containsOnly(Map.entry(RequestColumns.PROMPT, "steps"));
  }

  @Test
  void twoNamesOfOneRequestAreRefused() {
    assertRefused(
        ErrorCode.INPUT_INVALID,
        Map.of(),
        null,
        List.of("prompt", "negative", "Negative Prompt"),
        "the columns negative, Negative Prompt of prompt table 't' all mean negative_prompt");
    assertThat(notices("prompt", "negative_prompt", "negative"))
        .containsExactly(
            "column 'negative' is copied to the manifest and has no effect, since another column is"
                + " read as negative_prompt");
  }

  @Test
  void theScaleOfOtherToolsIsRefusedUnlessItIsMapped() {
    for (String name : List.of("cfg", "CFG scale", "cfg_scale")) {
      assertRefused(
          ErrorCode.INPUT_INVALID,
          Map.of(),
          null,
          List.of("prompt", name),
          "--column guidance_scale=" + name + " or --column true_cfg_scale=" + name);
      assertThat(assign(Map.of("true_cfg_scale", name), null, "prompt", name).sources())
          .containsEntry(RequestColumns.TRUE_CFG_SCALE, name);
    }
    assertThat(notices("prompt", "guidance_scale", "cfg"))
        .singleElement()
        .asString()
        .contains("'cfg'");
  }

  @ParameterizedTest
  @CsvSource({
    "heigth,height",
    "hieght,height",
    "widht,width",
    "promts,prompt",
    "prompts,prompt",
    "neg_prompt,negative_prompt",
    "negativ_prompt,negative_prompt",
    "negitive_promt,negative_prompt",
    "num_inferance_steps,num_inference_steps",
    "inference_steps,num_inference_steps",
    "step s.,num_inference_steps",
    "guidance,guidance_scale",
    "seeds,seed",
    "Batch size,num_images_per_prompt"
  })
  void aNameThatIsCloseToARequestIsNoticed(String name, String meant) {
    if (name.equals("step s.")) { // separators aside, that is steps
      assertThat(assign(Map.of(), null, "prompt", name).sources()).containsValue(name);
      return;
    }
    assertThat(notices("prompt", name))
        .singleElement()
        .asString()
        .contains("'" + name + "'", "no effect", meant);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sampler",
        "Sampler",
        "sampler_name",
        "scheduler",
        "Clip skip",
        "denoising_strength",
        "prompt_2"
      })
  void requestsThatLightmillDoesNotKnowAreNoticed(String name) {
    assertThat(notices("prompt", name))
        .singleElement()
        .asString()
        .startsWith("column '" + name + "' is copied to the manifest and has no effect: ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sku",
        "weight",
        "title",
        "price",
        "speed",
        "name",
        "color",
        "colour",
        "need",
        "lore",
        "region",
        "brand",
        "category",
        "background",
        "text",
        "caption",
        "created",
        "note",
        "depth",
        "feed"
      })
  void otherNamesAreNotNoticed(String name) {
    assertThat(notices("prompt", name)).isEmpty();
  }

  @Test
  void columnsOfATemplateHaveAnEffect() {
    Dataset<Row> rows = TestSpark.session().sql("select 'a' as prompts, 'b' as sampler");
    PromptInput input =
        new PromptInput(
            Optional.of(rows),
            "t",
            Optional.empty(),
            Map.of(),
            Optional.of("{prompts}, studio light"),
            OptionalInt.empty());

    assertThat(
            new ColumnAssignment(
                    new PromptTable(rows, List.of(), List.of()), input, Manifest.reserved())
                .notices())
        .singleElement()
        .asString()
        .contains("'sampler'");
  }

  @Test
  void aSizeIsReadWhereNoColumnOfASideIs() {
    assertThat(assignment("prompt", "Size").columns().size()).contains("Size");
    assertThat(assignment("prompt", "Size").columns().passthrough()).containsExactly("Size");
    assertThat(notices("prompt", "Size"))
        .containsExactly(
            "column 'Size' is read as width and height in rows where it has the form 512x768");
    assertThat(assignment("prompt", "size", "width").columns().size()).isEmpty();
    assertThat(notices("prompt", "size", "width")).singleElement().asString().contains("no effect");
  }

  @Test
  void aColumnThatNoManifestCanHoldIsLeftOut() {
    Dataset<Row> rows =
        TestSpark.session()
            .sql("select 'a mug' as prompt, null as empty, make_interval(1) as span, null as seed");
    ColumnAssignment assignment =
        new ColumnAssignment(
            new PromptTable(rows, List.of(), List.of()), PromptInput.of(rows), Manifest.reserved());

    assertThat(assignment.columns().passthrough()).isEmpty();
    assertThat(assignment.notices())
        .containsExactly(
            "column 'empty' is not in the manifest: Parquet has no type for void",
            "column 'span' is not in the manifest: Parquet has no type for interval");
    assertThat(TestTables.planned(rows).collectAsList()).hasSize(1);
  }
}
