import io.lightmill.udfs.run.Generation;
import io.lightmill.udfs.run.RunResult;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Turns a DataFrame into images and reads them back. The argument is the output. */
public class GenerateFromJava {

  public static void main(String[] args) throws Exception {
    String output = args.length > 0 ? args[0] : "out/java";
    try (SparkSession spark = SparkSession.builder().master("local[*]").getOrCreate()) {
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

      RunResult run =
          Generation.on(spark)
              .prompts(prompts)
              .checkpoint("builtin:pocket")
              .output(output)
              .option("num-inference-steps", 8)
              .execute();
      System.out.println("run " + run.runId() + ": " + run.counts());
      run.reportPage().ifPresent(page -> System.out.println("report: " + page));

      spark
          .read()
          .format("lightmill")
          .option("image-bytes", true)
          .load(output)
          .selectExpr("id", "price", "status", "path", "length(image) AS bytes")
          .orderBy("id")
          .show(false);
    }
  }
}
