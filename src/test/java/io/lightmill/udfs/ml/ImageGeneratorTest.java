package io.lightmill.udfs.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.plan.ImageIdentity;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.SQLTransformer;
import org.apache.spark.ml.image.ImageSchema;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Transformer in Pipelines, with the checkpoint that ships. */
class ImageGeneratorTest {

  @TempDir Path directory;

  private static ImageGenerator small() {
    return new ImageGenerator()
        .param("promptCol", "caption")
        .param("numInferenceSteps", 1)
        .param("width", 64)
        .param("height", "64")
        .param("column", Map.of("seed", "number"));
  }

  private static Dataset<Row> captions() {
    return TestSpark.session()
        .range(0, 4, 1, 2)
        .select(
            col("id").as("item"),
            lit(null).cast("long").as("number"),
            org.apache
                .spark
                .sql
                .functions
                .expr("element_at(array('a red mug', '', 'a blue lamp', 'a red mug'), int(id + 1))")
                .as("caption"));
  }

  private static List<Row> rows(Dataset<Row> drawn) {
    return drawn.orderBy("item").collectAsList();
  }

  @Test
  void aPipelineThatIsSavedAndLoadedGivesTheSameImages() throws IOException {
    SQLTransformer upper =
        new SQLTransformer().setStatement("SELECT *, concat(caption, '!') AS loud FROM __THIS__");
    PipelineModel model =
        new Pipeline()
            .setStages(
                new PipelineStage[] {upper, small().param("promptCol", "loud").param("seed", 5L)})
            .fit(captions());
    model.write().save(directory.resolve("model").toString());
    PipelineModel loaded = PipelineModel.load(directory.resolve("model").toString());

    assertThat(loaded.stages()[1]).isInstanceOf(ImageGenerator.class);
    assertThat(loaded.stages()[1].uid()).isEqualTo(model.stages()[1].uid());
    List<Row> before = rows(model.transform(captions()).drop("image"));
    assertThat(before).extracting(row -> row.getAs("image_id")).doesNotContainNull();
    assertThat(rows(loaded.transform(captions()).drop("image"))).isEqualTo(before);
  }

  @Test
  void everyRowKeepsItsColumnsAndHasAnImageOrTheReason() {
    ImageGenerator struct = small();
    Dataset<Row> drawn = struct.transform(captions());
    assertThat(drawn.schema()).isEqualTo(struct.transformSchema(captions().schema()));
    assertThat(drawn.columns())
        .containsExactly(
            "item", "number", "caption", "image", "image_id", "image_status", "image_error");
    List<Row> rows = rows(drawn);
    assertThat(rows)
        .extracting(row -> row.getAs("image_status"))
        .containsExactly("generated", "invalid", "generated", "generated");
    assertThat(rows.get(1).<Row>getAs("image")).isNull();
    assertThat(rows.get(1).<String>getAs("image_error")).contains("prompt");
    assertThat(rows.get(0).<String>getAs("image_error")).isNull();
    assertThat(rows.get(3).<Row>getAs("image")).isEqualTo(rows.get(0).getAs("image"));
    assertThat(rows.get(2).<String>getAs("image_id"))
        .isNotEqualTo(rows.get(0).<String>getAs("image_id"));

    List<Row> files = rows(small().param("outputType", "bytes").transform(captions().limit(1)));
    byte[] file = files.get(0).getAs("image");
    assertThat(ImageIdentity.imageId(ImageReceiptReader.identity(file).orElseThrow()))
        .isEqualTo(files.get(0).<String>getAs("image_id"))
        .isEqualTo(rows.get(0).<String>getAs("image_id"));
    assertPixels(rows.get(0).getAs("image"), ImageDecoder.decode(file).orElseThrow());
  }

  private static void assertPixels(Row image, BufferedImage expected) {
    assertThat(image.schema()).isEqualTo(ImageSchema.columnSchema());
    assertThat(List.of(image.getInt(1), image.getInt(2), image.getInt(3), image.getInt(4)))
        .containsExactly(64, 64, 3, (Integer) ImageSchema.javaOcvTypes().get("CV_8UC3"));
    byte[] bgr = image.getAs("data");
    for (int y = 0; y < 64; y++) {
      for (int x = 0; x < 64; x++) {
        int at = (y * 64 + x) * 3;
        int rgb = ((bgr[at + 2] & 0xff) << 16) | ((bgr[at + 1] & 0xff) << 8) | (bgr[at] & 0xff);
        assertThat(rgb).isEqualTo(expected.getRGB(x, y) & 0xffffff);
      }
    }
  }

  @Test
  void rowsWithoutAnImageAreLeftOutOrFailTheQueryWhereTheParamSaysSo() {
    Dataset<Row> two = captions().filter("item < 2");
    assertThat(rows(small().param("handleInvalid", "skip").transform(two)))
        .extracting(row -> row.getLong(0))
        .containsExactly(0L);
    assertThatThrownBy(() -> rows(small().param("handleInvalid", "error").transform(two)))
        .hasStackTraceContaining("prompt");
    Dataset<Row> twice = two.limit(1).withColumn("num_images_per_prompt", lit(2));
    assertThat(rows(small().transform(twice)).get(0).<String>getAs("image_error"))
        .contains("num_images_per_prompt is not 1");
  }

  @Test
  void paramsAreTheOptionsOfTheRegistryAndAreCheckedWhenTheyAreSet() {
    ImageGenerator generator = new ImageGenerator();
    assertThat(Arrays.stream(generator.params()).map(Param::name))
        .contains("checkpoint", "numInferenceSteps", "guidanceScale", "seed", "tier", "format")
        .doesNotContain("output", "input", "numImagesPerPrompt", "runId", "master");
    assertThat(generator.explainParams()).contains("numInferenceSteps: ");

    assertThatThrownBy(() -> generator.param("numInferenceSteps", "many"))
        .hasMessageContaining("option 'num-inference-steps' is 'many'");
    assertThatThrownBy(() -> generator.param("outputType", "tensor"))
        .hasMessageContaining("outputType given invalid value tensor");
    assertThatThrownBy(() -> generator.param("steps", 8)).hasMessageContaining("no param 'steps'");
    assertThatThrownBy(
            () ->
                new ImageGenerator()
                    .param("watermark", "a key")
                    .write()
                    .save(directory.resolve("secret").toString()))
        .hasStackTraceContaining("'watermark' is a secret");
  }

  @Test
  void columnsThatDoNotFitAreRefusedBeforeTheCheckpointIsOpened() {
    ImageGenerator generator = new ImageGenerator().param("checkpoint", "/no/such/model");
    StructType prompts = new StructType().add("prompt", DataTypes.StringType);
    assertRefused(generator, new StructType().add("text", DataTypes.StringType), "'prompt'");
    assertRefused(
        generator, new StructType().add("prompt", DataTypes.IntegerType), "is of type int");
    assertRefused(generator, prompts.add("Image", DataTypes.LongType), "'image' already");
    assertRefused(
        generator.copy(
            new ParamMap()
                .put(generator.promptCol().w("prompt"))
                .put(generator.errorCol().w("image"))),
        prompts,
        "two columns named 'image'");
    assertRefused(
        new ImageGenerator().param("promptTemplate", "a {color} mug"), prompts, "column 'color'");
    assertRefused(
        new ImageGenerator().param("imageRetries", 2), prompts, "needs 'image-classifier'");
    assertThat(generator.transformSchema(prompts).fieldNames()).hasSize(5);
  }

  private static void assertRefused(ImageGenerator generator, StructType schema, String message) {
    assertThatThrownBy(() -> generator.transformSchema(schema)).hasMessageContaining(message);
  }
}
