package io.lightmill.udfs.sql;

import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import scala.Option;
import scala.Tuple3;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * Lightmill's SQL functions, for {@code spark.sql.extensions}:
 *
 * <ul>
 *   <li>{@code generate_images(TABLE(prompts), …)}: see {@link GenerateImagesFunction}
 *   <li>{@code generate_image(prompt)}: see {@link GenerateImageFunction}
 * </ul>
 */
public final class LightmillExtensions
    extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    extensions.injectTableFunction(
        new Tuple3<>(
            identifier(GenerateImagesFunction.NAME),
            info(GenerateImagesFunction.class, GenerateImagesFunction.NAME),
            new GenerateImagesFunction()));
    extensions.injectFunction(
        new Tuple3<>(
            identifier(GenerateImageFunction.NAME),
            info(GenerateImageFunction.class, GenerateImageFunction.NAME),
            new GenerateImageFunction()));
    return BoxedUnit.UNIT;
  }

  private static FunctionIdentifier identifier(String name) {
    return new FunctionIdentifier(name, Option.empty(), Option.empty());
  }

  private static ExpressionInfo info(Class<?> function, String name) {
    return new ExpressionInfo(function.getName(), name);
  }
}
