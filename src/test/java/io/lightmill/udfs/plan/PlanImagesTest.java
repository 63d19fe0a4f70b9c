package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestTables;
import io.lightmill.udfs.table.RequestRules;
import io.lightmill.udfs.table.RowDefaults;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlanImagesTest {

  private static List<Row> rows(Dataset<Row> planned) {
    return planned.collectAsList().stream()
        .sorted(
            Comparator.comparing((Row row) -> String.valueOf(row.<String>getAs("id")))
                .thenComparing(row -> row.<Integer>getAs("variant")))
        .toList();
  }

  private static Row only(String header, String line) {
    List<Row> rows = rows(TestTables.planned(TestTables.of(header, line)));
    assertThat(rows).hasSize(1);
    return rows.get(0);
  }

  @Test
  void rowThatNamesNothingTakesTheCheckpointsDefaults() {
    Row row = only("id,prompt", "a,a red mug");

    assertThat(PlannedImages.request(row))
        .usingRecursiveComparison()
        .ignoringFields("seed")
        .isEqualTo(
            ImageRequest.builder("a red mug")
                .width(32)
                .height(32)
                .numInferenceSteps(4)
                .guidanceScale(3.5)
                .trueCfgScale(1.0)
                .maxSequenceLength(8)
                .seed(0)
                .build());
    assertThat(row.<String>getAs("error_code")).isNull();
    assertThat(row.<Boolean>getAs("prompt_truncated")).isFalse();
    assertThat(row.<Long>getAs("seed")).isEqualTo(ImageSeed.derived(7, "a", 0));
  }

  @Test
  void rowThatNamesEverythingGetsIt() {
    Row row =
        only(
            "id,prompt,negative_prompt,width,height,num_inference_steps,guidance_scale,"
                + "true_cfg_scale,max_sequence_length,seed",
            "a,a red mug,blurry,64,48.0,2,0,4.5,5,18446744073709551615");

    assertThat(PlannedImages.request(row))
        .isEqualTo(
            ImageRequest.builder("a red mug")
                .negativePrompt("blurry")
                .width(64)
                .height(48)
                .numInferenceSteps(2)
                .guidanceScale(0)
                .trueCfgScale(4.5)
                .maxSequenceLength(5)
                .seed(-1)
                .build());
    assertThat(row.<Long>getAs(PlannedImages.COST)).isEqualTo((64 * 48 / 256 + 5) * 2 * 2);
  }

  @Test
  void variantsCountSeedsUpAndHaveIdentitiesOfTheirOwn() {
    List<Row> rows =
        rows(
            TestTables.planned(
                TestTables.of("id,prompt,seed,num_images_per_prompt", "a,mug,9,3", "b,mug,,2")));

    assertThat(rows).extracting(r -> r.<Integer>getAs("variant")).containsExactly(0, 1, 2, 0, 1);
    long derived = ImageSeed.derived(7, "b", 0);
    assertThat(rows)
        .extracting(r -> r.<Long>getAs("seed"))
        .containsExactly(9L, 10L, 11L, derived, ImageSeed.derived(7, "b", 1));
    assertThat(rows).extracting(r -> r.<String>getAs("image_id")).doesNotHaveDuplicates();
  }

  static Stream<Arguments> errors() {
    return Stream.of(
        Arguments.of("prompt", "   ", ErrorCode.PROMPT_MISSING, "row id=a: prompt is empty"),
        Arguments.of(
            "prompt",
            "one two three four five six seven eight nine",
            ErrorCode.PROMPT_TOO_LONG,
            "prompt has 9 tokens, more than the 8 of max_sequence_length"),
        Arguments.of("width", "abc", ErrorCode.VALUE_INVALID, "width 'abc' is not a whole number"),
        Arguments.of("width", "32.5", ErrorCode.VALUE_INVALID, "width '32.5' is not a whole"),
        Arguments.of("width", "1e99", ErrorCode.VALUE_INVALID, "width '1e99' is not a whole"),
        Arguments.of(
            "width",
            "40",
            ErrorCode.SIZE_INVALID,
            "width 40 is not a positive multiple of 16; the nearest is 48"),
        Arguments.of(
            "height",
            "-32",
            ErrorCode.SIZE_INVALID,
            "height -32 is not a positive multiple of 16; the nearest is 16"),
        Arguments.of("height", "0", ErrorCode.SIZE_INVALID, "the nearest is 16"),
        Arguments.of(
            "width",
            "1024",
            ErrorCode.SIZE_INVALID,
            "1024x32 is 32768 pixels, more than the 16384 that this checkpoint draws"),
        Arguments.of(
            "height",
            "1040",
            ErrorCode.SIZE_INVALID,
            "height 1040 is more than the 1024 that a side may have with this checkpoint"),
        Arguments.of(
            "num_inference_steps",
            "0",
            ErrorCode.VALUE_INVALID,
            "num_inference_steps 0 is out of range; give 1 to 1000"),
        Arguments.of("num_inference_steps", "1001", ErrorCode.VALUE_INVALID, "give 1 to 1000"),
        Arguments.of("guidance_scale", "-1", ErrorCode.VALUE_INVALID, "guidance_scale -1.0 is out"),
        Arguments.of("guidance_scale", "NaN", ErrorCode.VALUE_INVALID, "'NaN' is not a number"),
        Arguments.of("guidance_scale", "1e999", ErrorCode.VALUE_INVALID, "Infinity is out of"),
        Arguments.of("true_cfg_scale", "x", ErrorCode.VALUE_INVALID, "'x' is not a number"),
        Arguments.of(
            "max_sequence_length", "9", ErrorCode.VALUE_INVALID, "out of range; give 1 to 8"),
        Arguments.of("num_images_per_prompt", "65", ErrorCode.VALUE_INVALID, "give 1 to 64"),
        Arguments.of(
            "seed", "18446744073709551616", ErrorCode.VALUE_INVALID, "whole number of 64 bits"),
        Arguments.of("seed", "1.5", ErrorCode.VALUE_INVALID, "seed '1.5' is not a whole number"));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void faultyValueMakesTheRowInvalid(String column, String value, ErrorCode code, String said) {
    Row row =
        column.equals("prompt")
            ? only("id,prompt", "a," + value)
            : only("id,prompt," + column, "a,a mug," + value);

    assertThat(row.<String>getAs("error_code")).isEqualTo(code.name());
    assertThat(row.<String>getAs("error_message")).startsWith("row id=a: ").contains(said);
    assertThat(row.<String>getAs("image_id")).isNull();
    assertThat(row.<String>getAs(PlannedImages.BATCH_KEY)).isNull();
  }

  @Test
  void allFaultsOfARowAreSaidAtOnceUnderTheFirstOnesCode() {
    Row row = only("id,prompt,width,seed", "a,,abc,x");

    assertThat(row.<String>getAs("error_code")).isEqualTo("PROMPT_MISSING");
    assertThat(row.<String>getAs("error_message"))
        .isEqualTo(
            "row id=a: prompt is empty; say what to draw; width 'abc' is not a whole number within"
                + " range; correct it or leave it empty; seed 'x' is not a whole number of 64 bits"
                + " (-9223372036854775808 to 18446744073709551615); correct it or leave it empty");
    assertThat(row.<Integer>getAs("width")).isNull();
    assertThat(row.<Integer>getAs("height")).isEqualTo(32);
  }

  @Test
  void invalidRowStillCountsForTheImagesItAsksFor() {
    assertThat(
            TestTables.planned(TestTables.of("id,prompt,width,num_images_per_prompt", "a,mug,33,3"))
                .collectAsList())
        .hasSize(3)
        .allSatisfy(row -> assertThat(row.<String>getAs("error_code")).isEqualTo("SIZE_INVALID"));
  }

  @Test
  void rowWithoutItsIdIsInvalid() {
    Row row = only("id,prompt", ",a mug");

    assertThat(row.<String>getAs("error_code")).isEqualTo("VALUE_INVALID");
    assertThat(row.<String>getAs("error_message"))
        .isEqualTo("row without id: id is empty; give every row an id of its own");
  }

  @Test
  void overLongPromptIsTruncatedIfTheJobSaysSo() {
    Row row =
        rows(TestTables.planned(
                TestTables.of("id,prompt", "a,one two three four five six seven eight nine"),
                null,
                TestTables.TRUNCATING))
            .get(0);

    assertThat(row.<String>getAs("error_code")).isNull();
    assertThat(row.<Boolean>getAs("prompt_truncated")).isTrue();
    assertThat(row.<String>getAs("prompt")).endsWith("nine");
  }

  @Test
  void templateFillsPromptsAndNamesEmptyColumns() {
    List<Row> rows =
        rows(
            TestTables.planned(
                TestTables.of("id,color,name", "a,red,mug", "b,,jug"),
                "a {color} {name}",
                TestTables.DEFAULTS));

    assertThat(rows.get(0).<String>getAs("prompt")).isEqualTo("a red mug");
    assertThat(rows.get(1).<String>getAs("error_code")).isEqualTo("PROMPT_MISSING");
    assertThat(rows.get(1).<String>getAs("error_message"))
        .isEqualTo("row id=b: color is empty, and the prompt template needs it; fill it in");
  }

  @Test
  void rowsWithoutIdAreNamedByWhatTheyHoldWhateverTheirOrder() {
    String[] lines = {"mug,1", "jug,2", "mug,1", "mug,3", "mug,1"};
    String[] reversed = {"mug,1", "mug,3", "mug,1", "jug,2", "mug,1"};

    List<String> ids = ids(TestTables.of("prompt,sku", lines));

    assertThat(ids).doesNotHaveDuplicates().hasSize(5);
    assertThat(ids).filteredOn(id -> id.matches("[0-9a-f]{16}")).hasSize(3);
    assertThat(ids).filteredOn(id -> id.matches("[0-9a-f]{16}-[23]")).hasSize(2);
    assertThat(ids(TestTables.of("prompt,sku", reversed).repartition(3))).isEqualTo(ids);
  }

  private static List<String> ids(Dataset<Row> table) {
    return rows(TestTables.planned(table)).stream().map(r -> r.<String>getAs("id")).toList();
  }

  @Test
  void emptyNegativePromptIsNoneAndBlankOneCounts() {
    List<Row> rows =
        rows(TestTables.planned(TestTables.of("id,prompt,negative_prompt", "a,mug,", "b,mug, ")));

    assertThat(rows)
        .extracting(row -> row.<String>getAs("negative_prompt"))
        .containsExactly(null, " ");
  }

  @Test
  void defaultThatTheCheckpointCannotDrawIsRefusedForTheWholeJob() {
    assertThatThrownBy(
            () ->
                RequestRules.of(
                    SolidColorPipeline.LIMITS, List.of(), TestTables.defaults("width", "33")))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessage(
            "defaults of the job: width 33 is not a positive multiple of 16; the nearest is 32");
  }

  @Test
  void allDefaultsThatCannotBeReadOrDrawnAreNamedAtOnce() {
    assertThatThrownBy(
            () ->
                RequestRules.of(
                    SolidColorPipeline.LIMITS,
                    List.of("brand"),
                    new RowDefaults(
                        Map.of("width", "", "height", "x", "guidance_scale", "-1", "lora", "up"),
                        0,
                        false)))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessage(
            "defaults of the job: width '' is not a whole number within range; correct it or leave"
                + " it empty; height 'x' is not a whole number within range; correct it or leave it"
                + " empty; guidance_scale -1.0 is out of range; give 0 or a positive number; lora"
                + " names up, but the job's adapters are brand; declare it (--lora up=FILE) or name"
                + " another");
  }

  @ParameterizedTest
  @ValueSource(strings = {"seed", "id", "prompt", "colour"})
  void columnsThatTakeNoDefaultAreRefused(String column) {
    assertThatThrownBy(
            () ->
                RequestRules.of(
                    SolidColorPipeline.LIMITS, List.of(), TestTables.defaults(column, "1")))
        .hasMessage(
            "defaults of the job: '"
                + column
                + "' is not a column that can have a default; choose one of negative_prompt, width,"
                + " height, num_inference_steps, guidance_scale, true_cfg_scale,"
                + " max_sequence_length, num_images_per_prompt, lora, sampling_efficiency");
  }

  @Test
  void defaultsOfTheJobAreReadAsTheCellsOfRows() {
    Row row =
        rows(TestTables.planned(
                TestTables.of("id,prompt,width", "a,mug,48"),
                null,
                new RowDefaults(
                    Map.of("width", "64", "height", "64.0", "negative_prompt", "", "lora", "brand"),
                    7,
                    false)))
            .get(0);

    ImageRequest request = PlannedImages.request(row);
    assertThat(List.of(request.width(), request.height())).containsExactly(48, 64);
    assertThat(request.negativePrompt()).contains("");
    assertThat(request.lora()).isEqualTo(LoraBlend.parse("brand"));
  }

  @Test
  void fewerStepsThanTheSchedulerTakesAreRefused() {
    PipelineLimits fiveSteps =
        new PipelineLimits(
            16,
            1024,
            128 * 128,
            8,
            5,
            SolidColorPipeline.LIMITS.guidance(),
            SolidColorPipeline.LIMITS.defaults());
    assertThatThrownBy(() -> RequestRules.of(fiveSteps, List.of(), TestTables.DEFAULTS))
        .hasMessage("defaults of the job: num_inference_steps 4 is out of range; give 5 to 1000");
  }

  @Test
  void adaptersDecideTheIdentityAndShareNoBatch() {
    List<Row> rows =
        rows(
            TestTables.planned(
                TestTables.of(
                    "id,prompt,seed,lora",
                    "a,mug,1,",
                    "b,mug,1,none",
                    "c,mug,1,brand@0.00",
                    "d,mug,1,style@2+brand@.5",
                    "e,mug,1,brand@0.5+style@2",
                    "f,mug,1,brand@0.5")));

    assertThat(rows)
        .extracting(row -> row.<String>getAs("lora"))
        .containsExactly(null, null, null, "brand@0.5+style@2", "brand@0.5+style@2", "brand@0.5");
    List<String> ids = rows.stream().map(row -> row.<String>getAs("image_id")).toList();
    assertThat(ids.subList(0, 3)).containsOnly(ids.get(0));
    assertThat(ids.get(3)).isEqualTo(ids.get(4)).isNotEqualTo(ids.get(0));
    assertThat(ids.get(5)).isNotIn(ids.get(0), ids.get(3));
    assertThat(rows.stream().map(row -> row.<String>getAs(PlannedImages.BATCH_KEY)).distinct())
        .hasSize(3);
    assertThat(PlannedImages.request(rows.get(4)).lora())
        .isEqualTo(LoraBlend.parse("brand@0.5+style@2"));
  }

  @Test
  void anAdapterThatTheJobDoesNotHaveMakesTheRowInvalid() {
    Row row = only("id,prompt,lora", "a,mug,brand+house@2");
    assertThat(row.<String>getAs("error_code")).isEqualTo("VALUE_INVALID");
    assertThat(row.<String>getAs("error_message"))
        .isEqualTo(
            "row id=a: lora names house, but the job's adapters are brand, style;"
                + " declare it (--lora house=FILE) or name another");
    assertThat(only("id,prompt,lora", "a,mug,brand@x").<String>getAs("error_message"))
        .isEqualTo(
            "row id=a: lora 'brand@x' is not made of names and weights; write it as"
                + " 'brand@0.8+style@0.5'");
  }

  @Test
  void aNegativePromptThatGuidesHasTheLimitOfPrompts() {
    String nine = "one two three four five six seven eight nine";
    String header = "id,prompt,negative_prompt,true_cfg_scale";
    Row guiding = only(header, "a,mug," + nine + ",2");
    assertThat(guiding.<String>getAs("error_code")).isEqualTo("PROMPT_TOO_LONG");
    assertThat(guiding.<String>getAs("error_message"))
        .contains("negative_prompt has 9 tokens, more than the 8 of max_sequence_length");
    assertThat(only(header, "a,mug," + nine + ",1").<String>getAs("error_code")).isNull();
    Row cut =
        rows(TestTables.planned(
                TestTables.of(header, "a,mug," + nine + ",2"), null, TestTables.TRUNCATING))
            .get(0);
    assertThat(cut.<String>getAs("error_code")).isNull();
    assertThat(cut.<Boolean>getAs("prompt_truncated")).isTrue();
  }
}
