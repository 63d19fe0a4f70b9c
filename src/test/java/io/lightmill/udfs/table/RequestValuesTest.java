package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestTables;
import java.nio.file.Path;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the values of a table request, as people and other tools write them. */
class RequestValuesTest {

  @TempDir Path directory;

  private TableDirectory files;

  @BeforeEach
  void here() {
    files = new TableDirectory(directory);
  }

  private static Row only(String header, String line) {
    return TestTables.planned(TestTables.of(header, line)).collectAsList().get(0);
  }

  @Test
  void aTableOfAnotherToolIsRead() {
    files.write(
        "a1111.csv",
        """
        prompt,Negative prompt,Steps,Sampler,Size,Seed
        "a cat <lora:brand:0.8>, (red:1.2)",blurry,2,Euler a,64x48,7
        a dog,,3,DPM++ 2M,128 × 64,-1
        """
            .replace("64x48", "64x64"));

    assertThat(
            files.planned(
                "a1111.csv",
                "prompt",
                "negative_prompt",
                "num_inference_steps",
                "width",
                "height",
                "lora",
                "error_code"))
        .containsExactly(
            "a cat, (red:1.2)|blurry|2|64|64|brand@0.8|null", "a dog|null|3|128|64|null|null");
    assertThat(files.planned("a1111.csv", "seed")).contains("7").doesNotContain("-1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", " -1 ", "-1.0", "-1."})
  void seedMinusOneIsNoSeed(String seed) {
    Row given = only("id,prompt,seed", "a,mug," + seed);
    Row none = only("id,prompt", "a,mug");

    assertThat(given.<Long>getAs("seed")).isEqualTo(none.<Long>getAs("seed"));
    assertThat(given.<String>getAs("image_id")).isEqualTo(none.<String>getAs("image_id"));
  }

  @Test
  void otherNegativeSeedsAreSeeds() {
    assertThat(only("id,prompt,seed", "a,mug,-2").<Long>getAs("seed")).isEqualTo(-2);
    assertThat(only("id,prompt,seed", "a,mug,-10").<Long>getAs("seed")).isEqualTo(-10);
    assertThat(only("id,prompt,seed", "a,mug,18446744073709551615").<Long>getAs("seed"))
        .isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource({
    "M,32,32",
    "42,32,32",
    "20x30,32,32",
    "30x40 cm,32,32",
    "128x64,128,64",
    "64*128,64,128"
  })
  void aSizeThatIsNoSizeInPixelsRequestsNothing(String size, int width, int height) {
    Row row = only("id,prompt,size", "a,mug," + size);

    assertThat(row.<Integer>getAs("width")).isEqualTo(width);
    assertThat(row.<Integer>getAs("height")).isEqualTo(height);
    assertThat(row.<Row>getAs("passthrough").<String>getAs("size")).isEqualTo(size);
  }

  @Test
  void aSizeThatCannotBeDrawnIsAnError() {
    assertThat(only("id,prompt,size", "a,mug,100x64").<String>getAs("error_message"))
        .contains("width 100 is not a positive multiple of 16");
  }

  @ParameterizedTest
  @CsvSource({
    "a cat <lora:brand:0.5>,,a cat,brand@0.5",
    "<lora:brand> a cat,,a cat,brand@1",
    "a cat<lora:brand:1><lora:style:.5>,,a cat,brand@1+style@0.5",
    "a cat <lora:brand:0.5>,style@0.3,a cat,brand@0.5+style@0.3",
    "a cat <lora:brand:0.5>,none,a cat,brand@0.5",
    "a cat <lora:brand:0>,,a cat,",
    "a < b <3 cat,,a < b <3 cat,"
  })
  void adaptersOfPromptsAreThoseOfTheRow(String prompt, String lora, String drawn, String blend) {
    Row row = only("id,prompt,lora", "a," + prompt + "," + (lora == null ? "" : lora));

    assertThat(row.<String>getAs("error_message")).isNull();
    assertThat(row.<String>getAs("prompt")).isEqualTo(drawn);
    assertThat(row.<String>getAs("lora")).isEqualTo(blend);
  }

  @ParameterizedTest
  @CsvSource({
    "a cat <lora:house:0.5>,lora names house",
    "a cat <lora:brand:0.5:0.7>,is not made of names and weights",
    "a cat <lora:My Style:1>,is not made of names and weights",
    "a cat <lora:brand:1><lora:brand:2>,names 'brand' twice",
    "<lora:brand:1>,prompt is empty"
  })
  void adaptersThatCannotBeUsedAreErrors(String prompt, String said) {
    assertThat(only("id,prompt", "a," + prompt).<String>getAs("error_message")).contains(said);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0000", "\u001b", "\u0007\b", "\u200B", "\uFEFF", "\u00A0", "\u2028", "\u202E\u202C",
            "\u00AD",
        "\u3164", "\u2800", "\uFE0F", "\u180E", "\u3000", "\u2066 \u2069", "\uDB40\uDC20", "\t",
            "\u0085"
      })
  void aPromptWithoutAVisibleCharacterIsMissing(String prompt) {
    Row row = only("id,prompt", "a," + prompt);

    assertThat(row.<String>getAs("error_code")).isEqualTo("PROMPT_MISSING");
    assertThat(row.<String>getAs("error_message")).contains("prompt is empty");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {".", "\u2764\uFE0F", "\u00E9", "a\u200Bb", "\uD83D\uDC68\u200D\uD83D\uDC69"})
  void aPromptWithAVisibleCharacterIsOne(String prompt) {
    Row row = only("id,prompt", "a," + prompt);

    assertThat(row.<String>getAs("error_code")).isNull();
    assertThat(row.<String>getAs("prompt")).isEqualTo(prompt);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\u200B", "\u001b", " "})
  void aTemplateNeedsAVisibleValue(String color) {
    Row row =
        TestTables.planned(
                TestTables.of("id,color", "a," + color), "a {color} mug", TestTables.DEFAULTS)
            .collectAsList()
            .get(0);

    assertThat(row.<String>getAs("error_code")).isEqualTo("PROMPT_MISSING");
  }

  @Test
  void messagesAboutARowHaveNoControlCharacters() {
    Row row = only("id,prompt,width", "a\u001b[2J\nb,mug,\u001b[31m\u202Ered");

    assertThat(row.<String>getAs("error_message"))
        .isEqualTo(
            "row id=a\\u001b[2J\\n"
                + "b: width '\\u001b[31m\\u202ered' is not a whole number within range; correct it"
                + " or leave it empty");
  }
}
