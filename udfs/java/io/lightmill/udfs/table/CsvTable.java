package io.lightmill.udfs.table;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.UntypedText;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * CSV files as a table of text. Values are found by the names of each file's header, so the order
 * of columns may differ between files. Columns without a name are left out.
 *
 * @param names of the columns, as the first file spells them
 */
record CsvTable(List<String> names) implements FileRows.Source {

  /**
   * Opens a table.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if the header of the first file cannot be
   *     used
   */
  static PromptTable open(SparkSession spark, String location, TableFiles files) {
    List<String> header = header(files.files(), FileRows.hadoop(spark));
    checkSeparator(location, header);
    List<String> notices = new ArrayList<>();
    List<Integer> unnamed = new ArrayList<>();
    StructType schema = new StructType();
    for (int i = 0; i < header.size(); i++) {
      if (header.get(i).isEmpty()) {
        unnamed.add(i + 1);
      } else {
        schema =
            schema.add(
                UntypedText.marked(
                    new StructField(header.get(i), DataTypes.StringType, true, Metadata.empty())));
      }
    }
    if (!unnamed.isEmpty()) {
      boolean one = unnamed.size() == 1;
      notices.add(
          "column%s %s of '%s' %s; name %s in the header to copy the values to the manifest"
              .formatted(
                  one ? "" : "s",
                  StringUtils.join(unnamed, ", "),
                  location,
                  one ? "has no name and is not read" : "have no names and are not read",
                  one ? "it" : "them"));
    }
    CsvTable table = new CsvTable(List.of(schema.fieldNames()));
    if (!header.isEmpty()) {
      schema = schema.add(PromptTable.CORRUPT, DataTypes.StringType);
    }
    for (String partition : files.partitionColumns()) {
      schema = schema.add(partition, DataTypes.StringType);
    }
    return PromptTable.of(
        location, FileRows.dataset(spark, files.files(), schema, table), List.of(), notices);
  }

  /** The header of the first file that is not empty. */
  private static List<String> header(List<TableFile> files, Configuration hadoop) {
    for (TableFile file : files) {
      try (CsvFile csv = CsvFile.open(file, hadoop)) {
        if (!csv.header().isEmpty()) {
          return csv.header();
        }
      } catch (IOException e) {
        throw file.unreadable(e);
      }
    }
    return List.of();
  }

  private static void checkSeparator(String location, List<String> header) {
    if (header.size() == 1 && StringUtils.containsAny(header.get(0), ';', '\t', '|')) {
      throw TableFile.invalid(
          "prompt table '%s' has only one column, '%s'; save it with commas between the columns, or name the separator in its first line, such as 'sep=;'"
              .formatted(location, header.get(0)),
          null);
    }
  }

  @Override
  public FileRows.Open open(TableFile file, Configuration hadoop) throws IOException {
    CsvFile csv = CsvFile.open(file, hadoop);
    try {
      return new Rows(csv, file, csv.header().isEmpty() ? new int[0] : cells(file, csv.header()));
    } catch (RuntimeException e) {
      csv.close();
      throw e;
    }
  }

  /** The cell of each column in a file. */
  private int[] cells(TableFile file, List<String> header) {
    List<String> folded = header.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
    long named = header.stream().filter(name -> !name.isEmpty()).count();
    int[] cells =
        names.stream().mapToInt(name -> folded.indexOf(name.toLowerCase(Locale.ROOT))).toArray();
    for (int cell : cells) {
      if (cell < 0 || named != names.size()) {
        throw TableFile.invalid(
            "the CSV files of the prompt table have different headers: '%s' has the columns %s, the first file has %s; give all files the same columns"
                .formatted(file.name(), String.join(", ", header), String.join(", ", names)),
            null);
      }
    }
    return cells;
  }

  /** The rows of a file: its values, the error of the row, and the values of its directories. */
  private static final class Rows implements FileRows.Open {

    private final CsvFile csv;
    private final TableFile file;
    private final int[] cells;

    private Rows(CsvFile csv, TableFile file, int[] cells) {
      this.csv = csv;
      this.file = file;
      this.cells = cells;
    }

    @Override
    public InternalRow next() {
      CsvFile.Line line = csv.next();
      if (line == null) {
        return null;
      }
      Object[] values = new Object[cells.length + 1 + file.partition().size()];
      for (int i = 0; i < cells.length; i++) {
        values[i] =
            cells[i] < line.values().size() ? FileRows.text(line.values().get(cells[i])) : null;
      }
      values[cells.length] = FileRows.text(line.error());
      for (int i = 0; i < file.partition().size(); i++) {
        values[cells.length + 1 + i] = FileRows.text(file.partition().get(i));
      }
      return new GenericInternalRow(values);
    }

    @Override
    public void close() throws IOException {
      csv.close();
    }
  }
}
