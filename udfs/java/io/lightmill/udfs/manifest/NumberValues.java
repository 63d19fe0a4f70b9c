package io.lightmill.udfs.manifest;

import io.lightmill.udfs.column.UntypedText;
import java.io.Serializable;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Which columns of {@link UntypedText} have only numbers, over some of the rows. */
final class NumberValues implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final Pattern WHOLE = Pattern.compile("^(0|-?[1-9][0-9]{0,17})$");

  /** At most 15 digits, which a double keeps. */
  private static final Pattern DECIMAL =
      Pattern.compile("^(?=[^0-9]*([0-9][^0-9]*){1,15}$)-?(0|[1-9][0-9]*)([.][0-9]+)?$");

  private final int[] columns;
  private final boolean[] filled;
  private final boolean[] whole;
  private final boolean[] decimal;

  /** Over no rows. */
  NumberValues(StructType passthrough) {
    columns =
        IntStream.range(0, passthrough.length())
            .filter(column -> UntypedText.isMarked(passthrough.apply(column)))
            .toArray();
    filled = new boolean[columns.length];
    whole = new boolean[columns.length];
    decimal = new boolean[columns.length];
    Arrays.fill(whole, true);
    Arrays.fill(decimal, true);
  }

  /**
   * Adds a row.
   *
   * @param row that begins with the passthrough columns
   */
  void add(InternalRow row) {
    for (int i = 0; i < columns.length; i++) {
      if (!row.isNullAt(columns[i])) {
        filled[i] = true;
        if (whole[i] || decimal[i]) {
          String value = row.getUTF8String(columns[i]).toString();
          whole[i] &= WHOLE.matcher(value).find();
          decimal[i] &= DECIMAL.matcher(value).find();
        }
      }
    }
  }

  /** Adds the rows of another part of the table. */
  void add(NumberValues other) {
    for (int i = 0; i < columns.length; i++) {
      filled[i] |= other.filled[i];
      whole[i] &= other.whole[i];
      decimal[i] &= other.decimal[i];
    }
  }

  /** The type that holds all values of a passthrough column. */
  DataType type(int column) {
    int i = Arrays.binarySearch(columns, column);
    if (filled[i] && whole[i]) {
      return DataTypes.LongType;
    }
    return filled[i] && decimal[i] ? DataTypes.DoubleType : DataTypes.StringType;
  }
}
