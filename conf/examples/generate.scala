// Turns a DataFrame into images and reads them back: paste it into spark-shell, or run it as a script.
import org.apache.spark.sql.SparkSession

val spark = SparkSession.builder().master("local[*]").getOrCreate()
import spark.implicits._

val prompts = Seq(
  ("mug-1", "a glossy red mug on a wooden table", 12.5),
  ("lamp-1", "an orange lamp on a night blue background", 61.0),
  ("shoe-1", "a green sneaker on a marble countertop", 89.9)
).toDF("id", "prompt", "price")

prompts.write
  .format("lightmill")
  .option("checkpoint", "builtin:pocket")
  .option("num-inference-steps", 8)
  .mode("append")
  .save("out/scala")

spark.read
  .format("lightmill")
  .option("image-bytes", true)
  .load("out/scala")
  .selectExpr("id", "price", "status", "path", "length(image) AS bytes")
  .orderBy("id")
  .show(false)
