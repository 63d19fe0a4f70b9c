package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CsvTableTest {

  @TempDir Path directory;

  private TableDirectory files;

  @BeforeEach
  void here() {
    files = new TableDirectory(directory);
  }

  @Test
  void valuesAreReadAsRfc4180SaysAndStayText() {
    files.write(
        "p.csv",
        """
        id,prompt
        1,"a ""red"" mug, on
        a table"
        02,plain
        3,"back\\slash"
        4,a 5" mug
        """);

    assertThat(files.rows("p.csv", "id", "prompt"))
        .containsExactly(
            "02|plain", "1|a \"red\" mug, on\na table", "3|back\\slash", "4|a 5\" mug");
  }

  /** Manifests are Parquet, and no output is a CSV, so that no program runs such a value. */
  @Test
  void formulasOfSpreadsheetsStayText() {
    files.write("p.csv", "prompt,a,b\n\"=HYPERLINK(\"\"http://x\"\")\",+1,@SUM(A1)\n-2+3,=1,\tx\n");

    assertThat(files.rows("p.csv", "prompt", "a", "b"))
        .containsExactlyInAnyOrder(
            "=HYPERLINK(\"http://x\")|+1|@SUM(A1)", "-2+3|=1|\tx");
  }

  @Test
  void nothingIsNoValueAndQuotedNothingIsAnEmptyOne() {
    files.write("p.csv", "prompt,a,b\nmug,,\"\"\n");

    assertThat(files.rows("p.csv", "prompt", "a", "b")).containsExactly("mug|null|");
  }

  static Stream<Arguments> unnamed() {
    return Stream.of(
        Arguments.of(",prompt,seed\n0,a red kite,1\n", "column 1 of"),
        Arguments.of("id,prompt,\n1,a red kite,\n", "column 3 of"),
        Arguments.of("\"\",prompt, ,\u200B\n0,a red kite,x,y\n", "columns 1, 3, 4 of"));
  }

  @ParameterizedTest
  @MethodSource("unnamed")
  void columnsWithoutANameAreLeftOutWithANotice(String text, String said) {
    files.write("p.csv", text);

    PromptTable table = files.read("p.csv");

    assertThat(table.notices()).singleElement().asString().contains(said, "p.csv", "in the header");
    assertThat(table.rows().columns()).doesNotContain("", " ").contains("prompt");
    assertThat(files.rows("p.csv", "prompt")).containsExactly("a red kite");
  }

  @Test
  void filesOfPandasAndOfSpreadsheetsAreRead() {
    TableDirectory copies = TableDirectory.RESOURCES;

    assertThat(copies.planned("pandas-index.csv", "prompt", "seed"))
        .containsExactly("a blue boat|2", "a red kite|1");
    assertThat(copies.planned("trailing-comma.csv", "id", "prompt", "error_code"))
        .containsExactly("1|a red kite|null", "2|a blue boat|null");
  }

  @Test
  void emptyCellsBeyondTheHeaderAreNoValues() {
    files.write("p.csv", "id,prompt\n1,a mug,\n2,a jug,, \n");

    assertThat(files.rows("p.csv", "id", "prompt")).containsExactly("1|a mug", "2|a jug");
    assertThat(files.errors("p.csv")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"id,prompt,prompt\n1,a,b\n", "Prompt,id,prompt \nx,1,y\n", "prompt,PROMPT\na,b\n"})
  void twoColumnsOfOneNameAreRefused(String text) {
    files.write("p.csv", text);

    files.assertRefused(
        "p.csv", "p.csv", "two columns named '", "rompt' (case and spaces aside)", "rename");
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          sep=;,   ;
          sep=|,   |
          "sep=\t", '\t'
          """,
      ignoreLeadingAndTrailingWhitespace = true)
  void theFirstLineOfExcelNamesTheSeparator(String first, String separator) {
    String s = separator.isEmpty() ? "\t" : separator;
    files.write("p.csv", first + "\r\nid" + s + "prompt\r\n1" + s + "a mug, red\r\n");

    assertThat(files.rows("p.csv", "id", "prompt")).containsExactly("1|a mug, red");
  }

  @Test
  void lineNumbersCountTheLineOfTheSeparator() {
    files.write("p.csv", "\uFEFFsep=;\nid;prompt\n1;a\n2;b;c\n");

    assertThat(files.errors("p.csv"))
        .singleElement()
        .asString()
        .startsWith("line 4 of '" + directory + "/p.csv' has 3 values, but the header has 2")
        .contains("'2;b;c'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"id;prompt\n1;mug\n", "id\tprompt\n1\tmug\n", "id|prompt\n1|mug\n"})
  void otherSeparatorsAreRefused(String text) {
    files.write("p.csv", text);

    files.assertRefused("p.csv", "has only one column, 'id", "with commas", "'sep=;'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r\n", "\r"})
  void allLineEndsEndALine(String end) {
    files.write(
        "p.csv", String.join(end, "\uFEFFid , prompt ", "1,a mug", "", "2,\"two", "lines\"", "  "));

    assertThat(files.rows("p.csv", "id", "prompt"))
        .containsExactly("1|a mug", "2|two" + end + "lines");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "id,prompt\n1,\"a red kite\nover green hills\n\"\n2,a blue boat\n",
        "id,prompt\n1,a red kite\n2,\"a blue boat\n\n\"",
        "prompt\r\n\"a red kite\r\n\"\r\n\"a\r\nb\r\n\"\r\n"
      })
  void aClosedValueMayEndInALineEnd(String text) {
    files.write("p.csv", text);

    assertThat(files.errors("p.csv")).isEmpty();
    assertThat(files.rows("p.csv", "prompt")).hasSize(2).anyMatch(v -> v.endsWith("\n"));
  }

  @Test
  void theCopyOfAValueThatEndsInALineEndIsRead() {
    assertThat(TableDirectory.RESOURCES.planned("value-ends-in-line-end.csv", "id", "error_code"))
        .containsExactly("1|null", "2|null");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "id,prompt\n3,\"a mug\n4,a cup\n5,a cap\n",
        "id,prompt\n1,a\n2,b\n3,\"a mug\r\n4,"
      })
  void aQuoteThatIsNeverClosedIsAnErrorOfItsRow(String text) {
    files.write("flat.csv", text);
    files.write("parts/region=eu/p.csv", text);
    files.write("parts/region=us/p.csv", "id,prompt\n9,a door\n");

    for (String name : List.of("flat.csv", "parts")) {
      assertThat(files.errors(name))
          .singleElement()
          .asString()
          .contains("a quote that opens at line", ".csv' is never closed: '3,\"a mug");
      assertThat(files.planned(name, "error_code", "prompt"))
          .filteredOn(row -> row.startsWith("VALUE_INVALID"))
          .containsExactly("VALUE_INVALID|null");
    }
    assertThat(files.planned("parts", "prompt")).contains("a door");
  }

  @Test
  void theCopyOfAPartitionedTableSwallowsNoRow() {
    assertThat(TableDirectory.RESOURCES.planned("unclosed-quote", "id", "prompt", "error_code"))
        .containsExactly("4|a green door|null", "null|null|VALUE_INVALID");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "id,prompt\n1,\"a mug\n2,a jug\n3,\"red\" cup\n",
        "id,prompt\n1,\"a \"red\" mug\"\n",
        "id,prompt\n1,\"a \\\"red\\\" mug\"\n"
      })
  void quotesThatDoNotPairUpAreRefused(String text) {
    files.write("p.csv", text);

    files.assertRefused("p.csv", "the quotes of", "p.csv' do not pair up at line", "double");
  }

  @Test
  void aLineOfAnotherLengthIsAnErrorOfItsRow() {
    files.write("p.csv", "id,prompt\n1,a red mug, on a table\n2,a mug\n3\n");

    assertThat(files.errors("p.csv"))
        .satisfiesExactly(
            error ->
                assertThat(error)
                    .contains("line 2 of", "has 3 values", "'1,a red mug, on a table'", "enclose"),
            error -> assertThat(error).contains("line 4 of", "has 1 values"));
    assertThat(files.planned("p.csv", "id", "error_code"))
        .containsExactly("1|VALUE_INVALID", "2|null", "3|VALUE_INVALID");
  }

  @Test
  void filesMayOrderTheirColumnsDifferently() {
    files.write("t/a.csv", "id,prompt\n1,x\n");
    files.write("t/b.csv", "Prompt,id\ny,2\n");
    files.write("t/c.csv", "");

    assertThat(files.rows("t", "id", "prompt")).containsExactly("1|x", "2|y");
  }

  @ParameterizedTest
  @ValueSource(strings = {"id,caption\n1,x\n", "id,prompt,seed\n2,y,3\n", "id\n3\n"})
  void filesWithOtherColumnsAreRefused(String text) {
    files.write("t/a.csv", "id,prompt\n1,x\n");
    files.write("t/b.csv", text);

    files.assertRefused("t", "different headers", "t/b.csv' has the columns id", "id, prompt");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-16"})
  void utf16IsRead(String charset) {
    String mark = charset.equals("UTF-16") ? "" : "\uFEFF";
    files.write(
        "p.csv", (mark + "größe,prompt\nа,mug\u2028 漢\n").getBytes(Charset.forName(charset)));
    files.write("q.csv", "id,prompt\n1,a mug\n".getBytes(StandardCharsets.UTF_16LE));

    assertThat(files.rows("p.csv", "größe", "prompt")).containsExactly("а|mug\u2028 漢");
    assertThat(files.rows("q.csv", "id", "prompt")).containsExactly("1|a mug");
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefusedWithItsByte() {
    files.write("p.csv", "größe,prompt\n1,mug\n".getBytes(Charset.forName("windows-1252")));

    files.assertRefused(
        "p.csv", "byte 3 of line 1 of '" + directory + "/p.csv' (0xF6) is not UTF-8; save");
  }

  @Test
  void aRowThatIsNotUtf8IsAnErrorWithItsByte() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(
        "id,prompt,note\r\n1,\"größe\r\n漢\",ok\r\n2,\"a\r\n".getBytes(StandardCharsets.UTF_8));
    bytes.write("mäg\",x\r\n".getBytes(StandardCharsets.ISO_8859_1));
    bytes.write("3,a cup,".getBytes(StandardCharsets.UTF_8));
    bytes.write(new byte[] {'x', (byte) 0xE6, (byte) 0xBC, '\r', '\n'}); // 漢 without its last byte
    bytes.write("4,a cap,x\r\n".getBytes(StandardCharsets.UTF_8));
    files.write("p.csv", bytes.toByteArray());

    assertThat(files.errors("p.csv"))
        .containsExactly(
            "byte 2 of line 5 of '"
                + directory
                + "/p.csv' (0xE4) is not UTF-8; save the table in UTF-8",
            "byte 10 of line 6 of '"
                + directory
                + "/p.csv' (0xE6) is not UTF-8; save the table in UTF-8");
    assertThat(files.planned("p.csv", "id", "error_code"))
        .containsExactly("1|null", "2|VALUE_INVALID", "3|VALUE_INVALID", "4|null");
  }

  @Test
  void aBadByteFarBehindTheStartHasItsLine() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write("prompt\n".getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < 50_000; i++) {
      bytes.write("a mug of 漢\n".getBytes(StandardCharsets.UTF_8));
    }
    bytes.write(new byte[] {'a', (byte) 0xFC, '\n', 'b', '\n'});
    files.write("p.csv", bytes.toByteArray());

    assertThat(files.errors("p.csv"))
        .singleElement()
        .asString()
        .startsWith("byte 2 of line 50002 of");
    assertThat(files.read("p.csv").rows().count()).isEqualTo(50_002);
  }

  @Test
  void compressedFilesAreRead() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write("id,prompt\r\n1,\"a\r\nmug\"\r\n".getBytes(StandardCharsets.UTF_8));
    }
    files.write("p.csv.gz", bytes.toByteArray());

    assertThat(files.rows("p.csv.gz", "id", "prompt")).containsExactly("1|a\r\nmug");
  }

  @ParameterizedTest
  @CsvSource({"42.0,42", "1e5,100000", "' 7 ',7", "18446744073709551615,-1", "-5,-5"})
  void seedsAreReadFromTheirText(String text, long seed) {
    files.write("p.csv", "prompt,seed\na mug," + text + "\n");

    assertThat(files.planned("p.csv", "seed", "error_code")).containsExactly(seed + "|null");
  }

  @ParameterizedTest
  @ValueSource(strings = {"42.5", "1e20", "1e999999999", "18446744073709551616", "1 000", "0x10"})
  void seedsThatAreNoWholeNumberOf64BitsAreErrors(String text) {
    files.write("p.csv", "prompt,seed\na mug," + text + "\n");

    assertThat(files.planned("p.csv", "error_message"))
        .singleElement()
        .asString()
        .contains("seed '" + text + "' is not a whole number of 64 bits");
  }
}
