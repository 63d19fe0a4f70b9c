package io.lightmill.udfs.sql;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import java.util.Optional;
import java.util.function.BinaryOperator;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.sources.And;
import org.apache.spark.sql.sources.EqualNullSafe;
import org.apache.spark.sql.sources.EqualTo;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.sources.GreaterThan;
import org.apache.spark.sql.sources.GreaterThanOrEqual;
import org.apache.spark.sql.sources.In;
import org.apache.spark.sql.sources.IsNotNull;
import org.apache.spark.sql.sources.IsNull;
import org.apache.spark.sql.sources.LessThan;
import org.apache.spark.sql.sources.LessThanOrEqual;
import org.apache.spark.sql.sources.Not;
import org.apache.spark.sql.sources.Or;
import org.apache.spark.sql.sources.StringContains;
import org.apache.spark.sql.sources.StringEndsWith;
import org.apache.spark.sql.sources.StringStartsWith;

/**
 * The filters that Spark offers a source, as columns of whole names, so that images are read for
 * the rows that remain. Spark applies every filter again, so those that have no column here may be
 * left out.
 */
final class FilterColumns {

  private FilterColumns() {}

  /** The column of a filter; empty where it is left to Spark. */
  static Optional<Column> of(Filter filter) {
    if (filter instanceof EqualTo it) {
      return Optional.of(column(it.attribute()).equalTo(it.value()));
    } else if (filter instanceof EqualNullSafe it) {
      return Optional.of(column(it.attribute()).eqNullSafe(it.value()));
    } else if (filter instanceof GreaterThan it) {
      return Optional.of(column(it.attribute()).gt(it.value()));
    } else if (filter instanceof GreaterThanOrEqual it) {
      return Optional.of(column(it.attribute()).geq(it.value()));
    } else if (filter instanceof LessThan it) {
      return Optional.of(column(it.attribute()).lt(it.value()));
    } else if (filter instanceof LessThanOrEqual it) {
      return Optional.of(column(it.attribute()).leq(it.value()));
    } else if (filter instanceof In it) {
      return Optional.of(column(it.attribute()).isin(it.values()));
    } else if (filter instanceof IsNull it) {
      return Optional.of(column(it.attribute()).isNull());
    } else if (filter instanceof IsNotNull it) {
      return Optional.of(column(it.attribute()).isNotNull());
    } else if (filter instanceof StringStartsWith it) {
      return Optional.of(column(it.attribute()).startsWith(lit(it.value())));
    } else if (filter instanceof StringEndsWith it) {
      return Optional.of(column(it.attribute()).endsWith(lit(it.value())));
    } else if (filter instanceof StringContains it) {
      return Optional.of(column(it.attribute()).contains(it.value()));
    } else if (filter instanceof And it) {
      return both(it.left(), it.right(), Column::and);
    } else if (filter instanceof Or it) {
      return both(it.left(), it.right(), Column::or);
    } else if (filter instanceof Not it) {
      return of(it.child()).map(functions::not);
    }
    return Optional.empty();
  }

  /** A column by its whole name, dots included. */
  private static Column column(String name) {
    return col(QuotingUtils.quoteIdentifier(name));
  }

  private static Optional<Column> both(Filter left, Filter right, BinaryOperator<Column> operator) {
    return of(left).flatMap(l -> of(right).map(r -> operator.apply(l, r)));
  }
}
