package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTableTest {

  @TempDir Path directory;

  private TableDirectory files;

  @BeforeEach
  void here() {
    files = new TableDirectory(directory);
  }

  @Test
  void linesKeepTheirTypesAndBrokenOnesAreErrors() {
    files.write(
        "p.jsonl",
        """
        {"prompt":"a mug","width":512,"price":1.5,"tags":["a","b"]}

        {"prompt": broken
        """);

    Dataset<Row> rows = files.read("p.jsonl").rows();

    assertThat(rows.schema().apply("width").dataType()).isEqualTo(DataTypes.LongType);
    assertThat(rows.schema().apply("price").dataType()).isEqualTo(DataTypes.DoubleType);
    assertThat(rows.schema().apply("tags").dataType().simpleString()).isEqualTo("array<string>");
    assertThat(files.rows("p.jsonl", "prompt", "width", "price"))
        .containsExactly("a mug|512|1.5", "null|null|null");
    assertThat(files.errors("p.jsonl"))
        .singleElement()
        .asString()
        .startsWith("line 3 of '" + directory + "/p.jsonl' is not a JSON object: ")
        .contains("broken", "one object a line");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\uFEFF{\"prompt\":\"a mug\"}\r\n{\"prompt\":\"a jug\"}\r\n",
        "{\"prompt\":\"a mug\"}\r{\"prompt\":\"a jug\"}",
        "{\"prompt\":\"a mug\"} {\"prompt\":\"a jug\"}\n",
        "[{\"prompt\":\"a mug\"},{\"prompt\":\"a jug\"}]",
        "\n[\n  {\n    \"prompt\": \"a mug\"\n  },\n  {\n    \"prompt\": \"a jug\"\n  }\n]\n",
        "{\n  \"prompt\": \"a mug\"\n}\n{\n  \"prompt\": \"a jug\"\n}\n",
        "{\"prompt\": \"a mug\",\n \"tags\": [1, {}]}\n{\"prompt\": \"a jug\"}",
        "[{\"prompt\":\"a mug\"}]\n[{\"prompt\":\"a jug\"}]\n"
      })
  void linesArraysAndPrettyPrintedObjectsAreRead(String text) {
    files.write("p.json", text);

    assertThat(files.rows("p.json", "prompt")).containsExactly("a jug", "a mug");
    assertThat(files.errors("p.json")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE"})
  void utf16IsRead(String charset) {
    files.write(
        "p.jsonl",
        "\uFEFF{\"prompt\":\"größe\"}\n{\"prompt\":\"漢\"}\n".getBytes(Charset.forName(charset)));

    assertThat(files.rows("p.jsonl", "prompt")).containsExactly("größe", "漢");
  }

  @Test
  void theCopyOfLargeSeedsIsReadExactly() {
    assertThat(TableDirectory.RESOURCES.planned("large-seeds.jsonl", "id", "seed", "error_code"))
        .containsExactly(
            "1|9007199254740993|null",
            "2|42|null",
            "3|" + Long.parseUnsignedLong("12345678901234567891") + "|null");
  }

  @ParameterizedTest
  @CsvSource({
    "9007199254740993,9007199254740993",
    "18446744073709551615,-1",
    "1e3,1000",
    "9007199254740993.0,9007199254740993",
    "-9223372036854775808,-9223372036854775808",
    "42.0,42",
    "'\"9007199254740993\"',9007199254740993"
  })
  void seedsAreExactBesideEachOtherForm(String written, long seed) {
    files.write(
        "lines.jsonl",
        "{\"id\":\"a\",\"prompt\":\"x\",\"seed\":%s}\n{\"id\":\"b\",\"prompt\":\"x\",\"seed\":0.0}\n"
            .formatted(written));
    files.write(
        "array.json",
        "[{\"id\":\"a\",\"prompt\":\"x\",\"seed\":%s},\n{\"id\":\"b\",\"prompt\":\"x\",\"seed\":0.0}]"
            .formatted(written));

    for (String name : new String[] {"lines.jsonl", "array.json"}) {
      assertThat(files.planned(name, "id", "seed", "error_code"))
          .as(name)
          .containsExactly("a|" + seed + "|null", "b|0|null");
    }
  }

  @Test
  void idsAndOtherRequestsAreTheirText() {
    files.write(
        "p.jsonl",
        "{\"id\":12345678901234567890123,\"prompt\":7.10}\n{\"id\":0.5,\"prompt\":\"x\"}\n");

    assertThat(files.planned("p.jsonl", "id", "prompt"))
        .containsExactly("0.5|x", "12345678901234567890123|7.10");
  }

  @Test
  void aWholeNumberThatItsColumnWouldRoundIsAnErrorOfItsRow() {
    files.write(
        "p.jsonl",
        """
        {"prompt":"a","sku":9007199254740993}
        {"prompt":"b","sku":0.1}
        {"prompt":"c","sku":9007199254740992}
        """);

    assertThat(files.rows("p.jsonl", "prompt", "sku")).contains("b|0.1", "c|9.007199254740992E15");
    assertThat(files.errors("p.jsonl"))
        .containsExactly(
            "column 'sku' has fractions in other rows, and cannot hold 9007199254740993 without"
                + " rounding; write the column as text");
  }

  @Test
  void largeWholeNumbersOfOtherColumnsAreExact() {
    files.write("p.jsonl", "{\"prompt\":\"a\",\"sku\":12345678901234567890}\n");

    assertThat(files.rows("p.jsonl", "sku")).containsExactly("12345678901234567890");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"prompt\":\"a\",\"prompt\":\"b\"}\n",
        "{\"prompt\":\"a\",\"x\":{\"y\":1},\"prompt\":null}\n",
      })
  void twoValuesOfOneNameAreAnErrorOfTheRow(String text) {
    files.write("p.jsonl", "{\"prompt\":\"ok\",\"x\":null}\n" + text);

    assertThat(files.errors("p.jsonl"))
        .singleElement()
        .asString()
        .contains("line 2 of", "two values of 'prompt'");
  }

  @Test
  void namesThatDifferInCaseOnlyAreRefused() {
    files.write("p.jsonl", "{\"Prompt \":\"x\",\"prompt\":\"y\"}\n");

    files.assertRefused("p.jsonl", "two columns named 'Prompt'");
  }

  @Test
  void valuesThatAreNoObjectsAreErrors() {
    files.write("p.jsonl", "{\"prompt\":\"a\"}\n\"b\"\n[1, {\"prompt\":\"c\"}]\nnull\n");
    files.write("q.json", "[{\"prompt\":\"a\"},\n \"b\"]");

    assertThat(files.errors("p.jsonl")).hasSize(3);
    assertThat(files.rows("p.jsonl", "prompt")).contains("a", "c");
    assertThat(files.errors("q.json"))
        .singleElement()
        .asString()
        .contains("line 2 of", "not a JSON object");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{\"prompt\":\"a\"},\n{\"prompt\": x}]",
        "[{\"prompt\":\"a\"},\n{\"prompt\":\"b\""
      })
  void aBrokenDocumentIsRefusedWithItsLine(String text) {
    files.write("p.json", text);

    files.assertRefused("p.json", "p.json' is not valid JSON at line 2, column");
  }

  @Test
  void filesWithoutObjectsAreRefused() {
    files.write("broken.jsonl", "no json\nat all\n");
    files.write("empty.jsonl", "\n");

    files.assertRefused("broken.jsonl", "broken.jsonl", "no line is a JSON object");
    files.assertRefused("empty.jsonl", "empty.jsonl", "is empty");
  }

  @Test
  void aLineThatIsNotUtf8IsAnErrorWithItsByte() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write("{\"prompt\":\"größe\"}\n{\"prompt\":\"".getBytes(StandardCharsets.UTF_8));
    bytes.write(new byte[] {(byte) 0x93});
    bytes.write("quoted\"}\n{\"prompt\":\"x\"}\n".getBytes(StandardCharsets.UTF_8));
    files.write("p.jsonl", bytes.toByteArray());
    files.write(
        "q.json",
        ("[" + bytes.toString(StandardCharsets.ISO_8859_1).strip().replace("\n", ",\n") + "]")
            .getBytes(StandardCharsets.ISO_8859_1));

    assertThat(files.errors("p.jsonl"))
        .containsExactly(
            "byte 12 of line 2 of '"
                + directory
                + "/p.jsonl' (0x93) is not UTF-8; save the table in UTF-8");
    assertThat(files.errors("q.json")).singleElement().asString().contains("of line 2 of");
  }

  @Test
  void aRangeOfAFileHasItsLinesAndTheirNumbers() throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i <= 9; i++) {
      text.append(i == 7 ? "broken\n" : "{\"prompt\":\"%d\"}\n".formatted(i));
    }
    Path file = files.write("p.jsonl", text.toString());
    Configuration hadoop = new Configuration();
    TableFile whole =
        TableFile.whole(new org.apache.hadoop.fs.Path(file.toUri()), text.length(), List.of());

    for (int cut = 1; cut < text.length(); cut++) {
      StringBuilder read = new StringBuilder();
      for (TableFile range :
          new TableFile[] {whole.range(0, cut), whole.range(cut, text.length())}) {
        try (FileRows.Open open = new JsonTexts(Set.of(), false).open(range, hadoop)) {
          for (var row = open.next(); row != null; row = open.next()) {
            read.append(row.isNullAt(0) ? row.getString(1).substring(0, 9) : row.getString(0))
                .append('\n');
          }
        }
      }
      assertThat(read.toString())
          .as("cut at %d", cut)
          .isEqualTo(text.toString().replace("broken", "line 7 of"));
    }
  }
}
