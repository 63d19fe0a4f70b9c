package io.lightmill.udfs.column;

import com.fasterxml.jackson.core.io.NumberOutput;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.SamplingEfficiency;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * A type of column values: its form in tables (text), in the manifest (a Spark type) and in the
 * canonical JSON of an image's identity. Numbers are read by way of decimals, so that {@code 48.0}
 * and {@code 1e3} are whole numbers and seeds of 64 bits lose nothing.
 *
 * @param spark type of the manifest field
 * @param absent whether a text is no value; blank text may be one on purpose, as a negative prompt
 */
record ColumnType<T>(
    DataType spark,
    Predicate<String> absent,
    Parsing<T> parsing,
    Function<T, Object> toSpark,
    Function<Object, T> fromSpark,
    Function<T, Object> toJson) {

  private static final BigInteger MIN_SEED = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger MAX_SEED = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);
  private static final int MAX_SEED_DIGITS = 20;
  private static final int MAX_TEXT_IN_MESSAGES = 80;

  static final ColumnType<String> TEXT =
      plain(
          DataTypes.StringType,
          String.class,
          String::isEmpty,
          (column, text) -> text,
          text -> text);

  static final ColumnType<Integer> WHOLE_NUMBER =
      plain(
          DataTypes.IntegerType,
          Integer.class,
          String::isBlank,
          number(BigDecimal::intValueExact, "a whole number within range"),
          value -> value);

  static final ColumnType<Double> NUMBER =
      plain(
          DataTypes.DoubleType,
          Double.class,
          String::isBlank,
          number(BigDecimal::doubleValue, "a number"),
          ColumnType::shortest);

  /** 64 bits; the unsigned numbers beyond 63 bits wrap, as in PyTorch. -1 is no value. */
  static final ColumnType<Long> SEED =
      plain(
          DataTypes.LongType,
          Long.class,
          text -> text.isBlank() || isAnySeed(text),
          number(
              ColumnType::seedBits,
              "a whole number of 64 bits (-9223372036854775808 to 18446744073709551615)"),
          value -> value);

  /** Manifests hold null for a blend without adapters. */
  static final ColumnType<LoraBlend> BLEND =
      new ColumnType<>(
          DataTypes.StringType,
          String::isBlank,
          (column, text) -> LoraBlend.parse(text),
          blend -> blend == null || blend.isEmpty() ? null : blend.toString(),
          text -> text == null ? LoraBlend.NONE : LoraBlend.parse((String) text),
          LoraBlend::toString);

  /** Manifests hold null for an image that is drawn as diffusers draws it. */
  static final ColumnType<SamplingEfficiency> EFFICIENCY =
      new ColumnType<>(
          DataTypes.StringType,
          String::isBlank,
          (column, text) -> SamplingEfficiency.parse(text),
          parts -> parts == null || parts.isNone() ? null : parts.toString(),
          text -> text == null ? SamplingEfficiency.NONE : SamplingEfficiency.parse((String) text),
          SamplingEfficiency::toString);

  /** Reads a value, or throws {@code VALUE_INVALID} with a message that names the column. */
  @FunctionalInterface
  interface Parsing<T> {
    T parse(String column, String text);
  }

  private static <T> ColumnType<T> plain(
      DataType spark,
      Class<T> type,
      Predicate<String> absent,
      Parsing<T> parsing,
      Function<T, Object> toJson) {
    return new ColumnType<>(spark, absent, parsing, value -> value, type::cast, toJson);
  }

  private static <T> Parsing<T> number(Function<BigDecimal, T> exact, String kind) {
    return (column, text) -> {
      try {
        return exact.apply(new BigDecimal(text.strip()));
      } catch (NumberFormatException | ArithmeticException e) { // not a number, or out of range
        throw new LightmillException(
            ErrorCode.VALUE_INVALID,
            "%s '%s' is not %s; correct it or leave it empty"
                .formatted(column, abbreviated(text), kind),
            e);
      }
    };
  }

  /** Other tools take -1 for a seed of their choice. */
  private static boolean isAnySeed(String text) {
    return text.strip().matches("-1(\\.0*)?");
  }

  private static Long seedBits(BigDecimal value) {
    if (value.precision() - (long) value.scale() > MAX_SEED_DIGITS) {
      throw new ArithmeticException("more than 64 bits"); // before 1e999999999 is written out
    }
    BigInteger seed = value.toBigIntegerExact();
    if (seed.compareTo(MIN_SEED) < 0 || seed.compareTo(MAX_SEED) > 0) {
      throw new ArithmeticException("more than 64 bits");
    }
    return seed.longValue();
  }

  /**
   * The shortest decimal that reads back as the value; Jackson's, since the JDK's changed in 19.
   */
  private static BigDecimal shortest(double value) {
    BigDecimal shortest = new BigDecimal(NumberOutput.toString(value, true)).stripTrailingZeros();
    return shortest.scale() < 0 ? shortest.setScale(0) : shortest;
  }

  /** A value as messages quote it. */
  static String abbreviated(String text) {
    return StringUtils.abbreviate(text.strip(), MAX_TEXT_IN_MESSAGES);
  }
}
