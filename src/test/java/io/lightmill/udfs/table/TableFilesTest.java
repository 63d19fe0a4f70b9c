package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TableFilesTest {

  @TempDir Path directory;

  private TableDirectory files;

  @BeforeEach
  void here() {
    files = new TableDirectory(directory);
  }

  private void writeParquet(String name, String prompt) {
    try {
      Path written = directory.resolve(".written");
      TestSpark.session()
          .sql("select '" + prompt + "' as prompt")
          .coalesce(1)
          .write()
          .mode("overwrite")
          .parquet(written.toString());
      try (var parts = Files.newDirectoryStream(written, "part-*")) {
        Path target = directory.resolve(name);
        Files.createDirectories(target.getParent());
        Files.copy(parts.iterator().next(), target);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "prompts [final].csv",
        "12:30.csv",
        "100%.csv",
        "a%20b.csv",
        "größe 漢.csv",
        "a{b,c}.csv",
        "what?.csv",
        "star*.csv",
        "back\\slash.csv",
        "p#1&2+3.CSV",
        "_draft.csv",
        "t/x=1/12:30 [a].csv"
      })
  void anExistingFileIsReadWhateverItsName(String name) {
    files.write(name, "prompt\na mug\n");

    assertThat(files.rows(name, "prompt")).containsExactly("a mug");
  }

  @ParameterizedTest
  @ValueSource(strings = {"p [1].jsonl", "12:30 50%.json", "größe.jsonl"})
  void soAreJsonFiles(String name) {
    files.write(name, "{\"prompt\":\"a mug\"}\n");

    assertThat(files.rows(name, "prompt")).containsExactly("a mug");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"p [1].parquet", "12:30 50%.parquet", "größe{1}.PARQUET", "d [x]/p?.parquet"})
  void soAreParquetFiles(String name) {
    writeParquet(name, "a mug");

    assertThat(files.rows(name, "prompt")).containsExactly("a mug");
  }

  @Test
  void aParquetFileThatSparkSkipsIsRefused() {
    writeParquet("_draft.parquet", "a mug");

    files.assertRefused("_draft.parquet", "_draft.parquet' starts with '_'", "rename");
  }

  @Test
  void filesOfAllNamesAreReadBelowADirectory() {
    files.write("t/12:30.csv", "prompt\na\n");
    files.write("t/b [1] 50%.csv", "prompt\nb\n");
    files.write("t/deep/ä.csv", "prompt\nc\n");

    assertThat(files.rows("t", "prompt")).containsExactly("a", "b", "c");
  }

  @Test
  void aRelativeNameWithAColonIsAFileOfThisMachine() throws IOException {
    Path file = Path.of("target", "12:30.csv");
    Files.createDirectories(file.getParent());
    Files.writeString(file, "prompt\na mug\n");

    assertThat(
            PromptTable.read(TestSpark.session(), PromptInput.at("target/12:30.csv"))
                .rows()
                .count())
        .isEqualTo(1);
  }

  @Test
  void directoriesOfTheFormNameIsValueAreColumnsOfText() {
    files.write("t/sku=007/size=1e3/day=2024-01-01/new=true/p.csv", "prompt\na\n");
    files.write("t/sku=7/size=10/day=2024-1-1/new=True/p.csv", "prompt\nb\n");
    files.write("t/sku=__HIVE_DEFAULT_PARTITION__/size=a%3A b/day=/new=x/p.csv", "prompt\nc\n");

    assertThat(files.rows("t", "prompt", "sku", "size", "day", "new"))
        .containsExactly("a|007|1e3|2024-01-01|true", "b|7|10|2024-1-1|True", "c|null|a: b||x");
  }

  @ParameterizedTest
  @ValueSource(strings = {"json", "csv"})
  void seedsOfDirectoriesAreExact(String format) {
    files.write(
        "t/seed=12345678901234567891/p." + format,
        format.equals("csv") ? "prompt\na\n" : "{\"prompt\":\"a\"}\n");
    files.write(
        "t/seed=042/p." + format, format.equals("csv") ? "prompt\nb\n" : "{\"prompt\":\"b\"}\n");

    assertThat(files.planned("t", "prompt", "seed"))
        .containsExactly("a|" + Long.parseUnsignedLong("12345678901234567891"), "b|42");
  }

  @Test
  void aDirectoryThatIsNamedItselfIsNoColumn() {
    files.write("t/region=eu/p.csv", "prompt\na\n");
    files.write("t/region=us/p.csv", "prompt\nb\n");

    assertThat(files.read("t/region=eu").rows().columns()).doesNotContain("region");
    assertThat(files.rows("t/region=*", "prompt")).containsExactly("a", "b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"t/p.csv", "t/country=eu/p.csv", "t/region=us/x=1/p.csv"})
  void directoriesThatNameDifferentColumnsAreRefused(String other) {
    files.write("t/region=eu/p.csv", "prompt\na\n");
    files.write(other, "prompt\nb\n");

    files.assertRefused("t", "name different columns", "[region]", "t/region=eu/p.csv");
  }

  @Test
  void aColumnOfTheFilesThatIsADirectoryToo() {
    files.write("t/region=eu/p.csv", "prompt,Region\na,us\n");

    files.assertRefused("t", "two columns named 'Region'");
  }

  @Test
  void datasetsOfTheHubAreRead() {
    files.write("ds/README.md", "---\nconfigs:\n- config_name: default\n---\n# Prompts\n");
    files.write("ds/.gitattributes", "*.parquet filter=lfs\n");
    files.write("ds/dataset_infos.json", "{\"default\": {}}");
    writeParquet("ds/data/train-00000-of-00002.parquet", "a");
    writeParquet("ds/data/train-00001-of-00002.parquet", "b");
    files.write("ds/.cache/huggingface/x.json", "{}");

    assertThat(files.rows("ds", "prompt")).containsExactly("a", "b");
  }

  @Test
  void datasetsOfTheHubInOtherFormatsAreRead() {
    files.write("csv/README.md", "# Prompts");
    files.write("csv/train.csv", "prompt\na\n");
    files.write("csv/LICENSE", "?");
    files.write("json/README.md", "# Prompts");
    files.write("json/dataset_info.json", "{\n}");
    files.write("json/data/train.jsonl", "{\"prompt\":\"a\"}\n");

    assertThat(files.rows("csv", "prompt")).containsExactly("a");
    assertThat(files.rows("json", "prompt")).containsExactly("a");
  }

  @Test
  void datasetsSavedToDiskAreRefusedWithTheFix() {
    files.write("ds/state.json", "{}");
    files.write("ds/dataset_info.json", "{}");
    files.write("ds/data-00000-of-00001.arrow", "ARROW1");

    files.assertRefused("ds", "Arrow files", "to_parquet");
  }

  @Test
  void hiddenFilesAndMarksAreNoData() {
    files.write("t/a.csv", "prompt\na\n");
    files.write("t/_SUCCESS", "");
    files.write("t/.b.csv.crc", "");
    files.write("t/_temporary/0/c.csv", "prompt\nc\n");

    assertThat(files.rows("t", "prompt")).isEqualTo(List.of("a"));
  }
}
