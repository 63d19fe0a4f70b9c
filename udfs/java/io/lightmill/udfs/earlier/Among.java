package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.udf;

import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import scala.reflect.ClassTag$;

/** Whether a text is one of a few. */
record Among(Broadcast<Set<String>> texts) implements UDF1<String, Boolean> {

  /** A condition that is false for null. */
  static Column of(SparkContext spark, Set<String> texts, Column text) {
    Broadcast<Set<String>> sent = spark.broadcast(texts, ClassTag$.MODULE$.apply(Set.class));
    return udf(new Among(sent), DataTypes.BooleanType).apply(text);
  }

  @Override
  public Boolean call(String text) {
    return text != null && texts.value().contains(text);
  }
}
