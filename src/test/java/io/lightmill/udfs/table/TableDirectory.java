package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.TestTables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Files of a test, and what is read from them. */
record TableDirectory(Path root) {

  /** The test's own copies of tables. */
  static final TableDirectory RESOURCES =
      new TableDirectory(Path.of("src/test/resources/tables").toAbsolutePath());

  Path write(String name, String text) {
    return write(name, text.getBytes(StandardCharsets.UTF_8));
  }

  Path write(String name, byte[] bytes) {
    try {
      Path file = root.resolve(name);
      Files.createDirectories(file.getParent());
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  PromptTable read(String name) {
    return PromptTable.read(TestSpark.session(), PromptInput.at(location(name)));
  }

  private String location(String name) {
    return name.isEmpty() ? root.toString() : root + "/" + name;
  }

  /** The values of a row, joined by {@code |} in the order of the first of them. */
  List<String> rows(String name, String... columns) {
    return joined(read(name).rows(), columns);
  }

  /** As {@link #rows}, of the planned images. */
  List<String> planned(String name, String... columns) {
    return joined(TestTables.planned(location(name)), columns);
  }

  private static List<String> joined(Dataset<Row> rows, String... columns) {
    return rows.collectAsList().stream()
        .map(
            row ->
                String.join(
                    "|",
                    Arrays.stream(columns)
                        .map(column -> String.valueOf(row.<Object>getAs(column)))
                        .toList()))
        .sorted(Comparator.naturalOrder())
        .toList();
  }

  /** The errors of rows that cannot be read. */
  List<String> errors(String name) {
    return read(name).rows().collectAsList().stream()
        .map(row -> row.<String>getAs(PromptTable.CORRUPT))
        .filter(error -> error != null)
        .toList();
  }

  /** Reading fails with one sentence, as a run says it. */
  void assertRefused(String name, String... said) {
    assertThatThrownBy(
            () -> {
              try {
                TestTables.planned(location(name)).collectAsList();
              } catch (Exception e) {
                throw TaskFailures.fixable(name, e);
              }
            })
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INPUT_INVALID))
        .hasMessageContainingAll(said);
  }
}
