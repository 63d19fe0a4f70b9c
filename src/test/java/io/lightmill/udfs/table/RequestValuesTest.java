package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestTables;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the values of a table request, as people and other tools write them. */
class RequestValuesTest {

  @TempDir Path directory;

  private TableDirectory files;

  @BeforeEach
  void here() {
    files = new TableDirectory(directory);
  }

  private static Row only(String header, String line) {
    return rows(header, line).get(0);
  }

  /**
   * One query for all cases of a test, since each query takes longer than its rows.
   *
   * @return in the order of the lines, which start with an id
   */
  private static List<Row> rows(String header, String... lines) {
    List<String> ids =
        Arrays.stream(lines).map(line -> line.substring(0, line.indexOf(','))).toList();
    List<Row> rows =
        TestTables.planned(TestTables.of(header, lines)).collectAsList().stream()
            .sorted(Comparator.comparing(row -> ids.indexOf(row.<String>getAs("id"))))
            .toList();
    assertThat(rows).hasSameSizeAs(lines);
    return rows;
  }

  /** The rows of values that follow an id. */
  private static List<Row> rows(String header, List<String> values) {
    return rows(
        header,
        IntStream.range(0, values.size())
            .mapToObj(i -> i + "," + values.get(i))
            .toArray(String[]::new));
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

  @Test
  void seedMinusOneIsNoSeed() {
    Row none = only("id,prompt", "a,mug");

    assertThat(rows("id,prompt,seed", "a,mug,-1", "a,mug, -1 ", "a,mug,-1.0", "a,mug,-1."))
        .allSatisfy(
            given -> {
              assertThat(given.<Long>getAs("seed")).isEqualTo(none.<Long>getAs("seed"));
              assertThat(given.<String>getAs("image_id")).isEqualTo(none.<String>getAs("image_id"));
            });
  }

  @Test
  void otherNegativeSeedsAreSeeds() {
    assertThat(rows("id,prompt,seed", "a,mug,-2", "b,mug,-10", "c,mug,18446744073709551615"))
        .extracting(row -> row.<Long>getAs("seed"))
        .containsExactly(-2L, -10L, -1L);
  }

  @Test
  void aSizeThatIsNoSizeInPixelsRequestsNothing() {
    List<String> sizes = List.of("M", "42", "20x30", "30x40 cm", "128x64", "64*128");

    List<Row> rows = rows("id,size,prompt", sizes.stream().map(size -> size + ",mug").toList());

    assertThat(rows)
        .extracting(row -> row.<Row>getAs("passthrough").<String>getAs("size"))
        .isEqualTo(sizes);
    assertThat(rows)
        .extracting(row -> row.getAs("width") + "x" + row.getAs("height"))
        .containsExactly("32x32", "32x32", "32x32", "32x32", "128x64", "64x128");
  }

  @Test
  void aSizeThatCannotBeDrawnIsAnError() {
    assertThat(only("id,prompt,size", "a,mug,100x64").<String>getAs("error_message"))
        .contains("width 100 is not a positive multiple of 16");
  }

  @Test
  void adaptersOfPromptsAreThoseOfTheRow() {
    List<Row> rows =
        rows(
            "id,prompt,lora",
            List.of(
                "a cat <lora:brand:0.5>,",
                "<lora:brand> a cat,",
                "a cat<lora:brand:1><lora:style:.5>,",
                "a cat <lora:brand:0.5>,style@0.3",
                "a cat <lora:brand:0.5>,none",
                "a cat <lora:brand:0>,",
                "a < b <3 cat,"));

    assertThat(rows).extracting(row -> row.<String>getAs("error_message")).containsOnlyNulls();
    assertThat(rows)
        .extracting(row -> row.getAs("prompt") + " | " + row.getAs("lora"))
        .containsExactly(
            "a cat | brand@0.5",
            "a cat | brand@1",
            "a cat | brand@1+style@0.5",
            "a cat | brand@0.5+style@0.3",
            "a cat | brand@0.5",
            "a cat | null",
            "a < b <3 cat | null");
  }

  @Test
  void adaptersThatCannotBeUsedAreErrors() {
    Map<String, String> said = new LinkedHashMap<>();
    said.put("a cat <lora:house:0.5>", "lora names house");
    said.put("a cat <lora:brand:0.5:0.7>", "is not made of names and weights");
    said.put("a cat <lora:My Style:1>", "is not made of names and weights");
    said.put("a cat <lora:brand:1><lora:brand:2>", "names 'brand' twice");
    said.put("<lora:brand:1>", "prompt is empty");

    assertThat(rows("id,prompt", List.copyOf(said.keySet())))
        .extracting(row -> row.<String>getAs("error_message"))
        .zipSatisfy(said.values(), (message, part) -> assertThat(message).contains(part));
  }

  @Test
  void aPromptWithoutAVisibleCharacterIsMissing() {
    List<String> prompts =
        List.of(
            "\u0000",
            "\u001b",
            "\u0007\b",
            "\u200B",
            "\uFEFF",
            "\u00A0",
            "\u2028",
            "\u202E\u202C",
            "\u00AD",
            "\u3164",
            "\u2800",
            "\uFE0F",
            "\u180E",
            "\u3000",
            "\u2066 \u2069",
            "\uDB40\uDC20",
            "\t",
            "\u0085");

    assertThat(rows("id,prompt", prompts))
        .allSatisfy(
            row -> {
              assertThat(row.<String>getAs("error_code")).isEqualTo("PROMPT_MISSING");
              assertThat(row.<String>getAs("error_message")).contains("prompt is empty");
            });
  }

  @Test
  void aPromptWithAVisibleCharacterIsOne() {
    List<String> prompts =
        List.of(".", "\u2764\uFE0F", "\u00E9", "a\u200Bb", "\uD83D\uDC68\u200D\uD83D\uDC69");

    List<Row> rows = rows("id,prompt", prompts);

    assertThat(rows).extracting(row -> row.<String>getAs("error_code")).containsOnlyNulls();
    assertThat(rows).extracting(row -> row.<String>getAs("prompt")).isEqualTo(prompts);
  }

  @Test
  void aTemplateNeedsAVisibleValue() {
    assertThat(
            TestTables.planned(
                    TestTables.of("id,color", "a,\u200B", "b,\u001b", "c, "),
                    "a {color} mug",
                    TestTables.DEFAULTS)
                .collectAsList())
        .hasSize(3)
        .extracting(row -> row.<String>getAs("error_code"))
        .containsOnly("PROMPT_MISSING");
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
