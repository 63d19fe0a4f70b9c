package io.lightmill.udfs.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.column.UntypedText;
import java.util.Arrays;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumberColumnsTest {

  private static final StructField VALUE =
      UntypedText.marked(new StructType().add("a value", DataTypes.StringType).apply(0));

  private static String type(StructType earlier, String... values) {
    StructType passthrough = new StructType(new StructField[] {VALUE});
    NumberValues all = new NumberValues(passthrough);
    for (String value : values) { // each as if it came from a partition of its own
      NumberValues one = new NumberValues(passthrough);
      one.add(new GenericInternalRow(new Object[] {UTF8String.fromString(value)}));
      all.add(one);
    }
    StructField typed = new NumberColumns(passthrough, earlier).typed(all).apply(0);
    assertThat(UntypedText.isMarked(typed)).isFalse();
    return typed.dataType().simpleString();
  }

  @ParameterizedTest
  @CsvSource({
    "0|-7|999999999999999999, bigint",
    "5||12, bigint",
    "1|2.50|-0.125, double",
    "123456789.012345, double",
    "007, string",
    "5|00.5, string",
    "5|n/a, string",
    "+5, string",
    "1e5, string",
    "1.0e3|2, string",
    "NaN, string",
    "1000000000000000000, string",
    "1234567890123456|0.5, string",
    "' 5', string",
    "5., string",
    "'1,5', string",
  })
  void theTypeHoldsAllValues(String values, String type) {
    String[] cells =
        Arrays.stream(values.split("[|]"))
            .map(it -> it.isEmpty() ? null : it)
            .toArray(String[]::new);

    assertThat(type(new StructType(), cells)).isEqualTo(type);
  }

  @Test
  void aColumnWithoutValuesStaysText() {
    assertThat(type(new StructType(), (String) null)).isEqualTo("string");
  }

  @Test
  void aWiderTypeOfTheEarlierRunIsKept() {
    assertThat(type(new StructType().add("A value", DataTypes.DoubleType), "5"))
        .isEqualTo("double");
    assertThat(type(new StructType().add("a value", DataTypes.StringType), "5"))
        .isEqualTo("string");
    assertThat(type(new StructType().add("a value", DataTypes.LongType), "5.5"))
        .isEqualTo("double");
    assertThat(type(new StructType().add("other", DataTypes.StringType), "5")).isEqualTo("bigint");
  }
}
