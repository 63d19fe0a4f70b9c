package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.run.OneImage;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ScalaUDF;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import scala.Option;
import scala.Some;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * The function {@code generate_image(prompt)}: the bytes of one image, PNG unless the option {@code
 * format} says otherwise; null for a null prompt. A second argument is a map of options of a run:
 * {@code generate_image(prompt, map('checkpoint', '/models/FLUX.1-schnell', 'seed', '7'))}. The
 * same prompt and options give the same image. A prompt that cannot be drawn fails the query.
 *
 * <p>Executors load the checkpoint once and keep it until they have been idle for a minute. Images
 * are drawn one by one, so {@code generate_images} is faster for tables.
 */
final class GenerateImageFunction extends AbstractFunction1<Seq<Expression>, Expression> {

  static final String NAME = "generate_image";

  @Override
  public Expression apply(Seq<Expression> arguments) {
    SqlArguments options = new SqlArguments();
    if (arguments.length() == 2) {
      options.addAll(arguments.apply(1), NAME);
    }
    if (arguments.length() < 1
        || arguments.length() > 2
        || !(arguments.apply(0).dataType() instanceof StringType)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "%s takes a prompt and, if needed, a map of options; write %s(prompt, map('seed', '7'))"
              .formatted(NAME, NAME));
    }
    OneImage drawing = OneImage.of(SparkSession.active(), options.parsed());
    // Not deterministic to Spark, so that it draws once where a plan names the value twice.
    return new ScalaUDF(
        new Draw(drawing),
        DataTypes.BinaryType,
        CollectionConverters.asScala(java.util.List.of(arguments.apply(0))).toSeq(),
        CollectionConverters
            .<Option<org.apache.spark.sql.catalyst.encoders.ExpressionEncoder<?>>>asScala(
                java.util.List.of())
            .toSeq(),
        Option.empty(),
        Some.apply(NAME),
        true,
        false);
  }

  private static final class Draw extends AbstractFunction1<String, byte[]>
      implements java.io.Serializable {

    private static final long serialVersionUID = 1L;

    private final OneImage drawing;

    Draw(OneImage drawing) {
      this.drawing = drawing;
    }

    @Override
    public byte[] apply(String prompt) {
      return prompt == null ? null : drawing.draw(prompt);
    }
  }
}
