import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The same by Spark Connect: this program needs the Connect client alone, and Lightmill is on the
 * server. The arguments are the server and the output.
 */
public class GenerateOverConnect {

  public static void main(String[] args) throws Exception {
    String server = args.length > 0 ? args[0] : "sc://localhost:15002";
    String output = args.length > 1 ? args[1] : "out/connect";
    try (SparkSession spark = SparkSession.builder().remote(server).getOrCreate()) {
      StructType schema =
          new StructType()
              .add("id", DataTypes.StringType)
              .add("prompt", DataTypes.StringType)
              .add("price", DataTypes.DoubleType);
      Dataset<Row> prompts =
          spark.createDataFrame(
              List.of(
                  RowFactory.create("mug-1", "a glossy red mug on a wooden table", 12.5),
                  RowFactory.create("lamp-1", "an orange lamp on a night blue background", 61.0),
                  RowFactory.create("shoe-1", "a green sneaker on a marble countertop", 89.9)),
              schema);

      prompts
          .write()
          .format("lightmill")
          .option("checkpoint", "builtin:pocket")
          .option("num-inference-steps", 8)
          .mode("append")
          .save(output);
      spark
          .read()
          .format("lightmill")
          .option("image-bytes", true)
          .load(output)
          .selectExpr("id", "price", "status", "path", "length(image) AS bytes")
          .orderBy("id")
          .show(false);

      prompts.createOrReplaceTempView("prompts");
      spark
          .sql(
              "SELECT id, status, run_id IS NULL AS unstored, length(image) AS bytes"
                  + " FROM generate_images(TABLE(prompts), num_inference_steps => 8) ORDER BY id")
          .show(false);
      spark
          .sql("SELECT length(generate_image('a blue chair on a grey gradient')) AS bytes")
          .show(false);
    }
  }
}
