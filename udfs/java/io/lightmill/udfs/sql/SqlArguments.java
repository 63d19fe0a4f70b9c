package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.catalyst.CatalystTypeConverters;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import scala.jdk.javaapi.CollectionConverters;

/** Options among the arguments of an SQL function. */
final class SqlArguments {

  private final Map<String, String> options = new LinkedHashMap<>();

  /**
   * Adds a named argument, whose name is the key of an option with underscores, such as {@code
   * num_inference_steps}. An option that is a map takes an SQL map.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} where the value is no constant
   */
  void add(NamedArgumentExpression argument) {
    add(argument.key(), argument.value());
  }

  /** Adds all entries of a constant map from keys to values. */
  void addAll(Expression map, String function) {
    if (constant(function, map) instanceof scala.collection.Map<?, ?> entries) {
      CollectionConverters.asJava(entries)
          .forEach((key, value) -> options.put(key.toString(), String.valueOf(value)));
    }
  }

  private void add(String key, Expression expression) {
    Object value = constant(key, expression);
    if (value instanceof scala.collection.Map<?, ?> entries) {
      CollectionConverters.asJava(entries)
          .forEach((name, entry) -> options.put(key + "." + name, String.valueOf(entry)));
    } else if (value != null) {
      options.put(key, value.toString());
    }
  }

  private static Object constant(String name, Expression expression) {
    if (!expression.foldable()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "argument '%s' is '%s', which is no constant; give a literal"
              .formatted(name, expression.sql()));
    }
    return CatalystTypeConverters.convertToScala(
        expression.eval(InternalRow.empty()), expression.dataType());
  }

  /**
   * The options.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for unknown keys and values
   */
  GenerationOptions parsed() {
    return GenerationOptions.parse(options);
  }
}
