// Lightmill in Scala, cell by cell: paste it into spark-shell or Almond, or run it as a script (API.md).
// spark-shell --jars target/lightmill-assembly.jar,$(ls target/lib/pytorch-native-cpu-*.jar) \
//   --conf spark.sql.extensions=io.lightmill.udfs.sql.LightmillExtensions
// %% Session
import org.apache.spark.sql.{DataFrame, SparkSession}

val spark = SparkSession
  .builder()
  .master("local[*]")
  .config("spark.sql.extensions", "io.lightmill.udfs.sql.LightmillExtensions")
  .config("spark.ui.showConsoleProgress", true) // the progress display
  .getOrCreate()
import spark.implicits._

val output = sys.env.getOrElse("LIGHTMILL_OUTPUT", "out/notebook-scala")

// %% A grid of thumbnails as an HTML page: at most so many rows are fetched, one at a time, and only thumbnails are kept
def displayGrid(rows: DataFrame, file: String, most: Int = 24, side: Int = 160): Unit = {
  import java.awt.{Image, RenderingHints}
  import java.awt.image.BufferedImage
  import java.io.{ByteArrayInputStream, ByteArrayOutputStream}
  import java.nio.file.{Files, Path}
  import java.util.Base64
  import javax.imageio.ImageIO
  val cells = new StringBuilder
  val each = rows.select("image", "prompt").limit(most).toLocalIterator()
  while (each.hasNext) {
    val row = each.next()
    val picture = Option(row.getAs[Array[Byte]](0)).map { bytes =>
      val image = ImageIO.read(new ByteArrayInputStream(bytes))
      val scale = side.toDouble / math.max(image.getWidth, image.getHeight)
      val thumbnail =
        new BufferedImage((image.getWidth * scale).toInt, (image.getHeight * scale).toInt, BufferedImage.TYPE_INT_RGB)
      val graphics = thumbnail.createGraphics()
      graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC)
      graphics.drawImage(image, 0, 0, thumbnail.getWidth, thumbnail.getHeight, null)
      graphics.dispose()
      val jpeg = new ByteArrayOutputStream
      ImageIO.write(thumbnail, "jpeg", jpeg)
      s"<img src='data:image/jpeg;base64,${Base64.getEncoder.encodeToString(jpeg.toByteArray)}'>"
    }
    val caption = String.valueOf(row.get(1)).replace("&", "&amp;").replace("<", "&lt;")
    cells.append(s"<figure>${picture.getOrElse("no image")}<figcaption>$caption</figcaption></figure>\n")
  }
  Files.writeString(Path.of(file), s"<!doctype html><meta charset='utf-8'>$cells")
  println(s"$file shows at most $most images")
}

// %% Draw what the output lacks
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
  .save(output)

// %% Read the current state and look at it
val images = spark.read.format("lightmill").option("image-bytes", true).load(output)
images.select("id", "price", "status", "path").orderBy("id").show(false)
displayGrid(images.filter("status IN ('generated', 'reused')").orderBy("id"), "notebook-grid.html")
images.filter("error_code IS NOT NULL").select("id", "error_code", "error_message").show(false)

// %% SQL, which stores nothing without an output
prompts.createOrReplaceTempView("prompts")
spark
  .sql("""
    SELECT id, status, length(image) AS bytes
    FROM generate_images(TABLE(prompts), num_inference_steps => 4, seed => 7)
  """)
  .orderBy("id")
  .show()

// %% A stage of a Pipeline of spark.ml
import io.lightmill.udfs.ml.ImageGenerator
import org.apache.spark.ml.Pipeline

val generator = new ImageGenerator().param("numInferenceSteps", 4).param("seed", 7)
new Pipeline()
  .setStages(Array(generator))
  .fit(prompts)
  .transform(prompts)
  .select("id", "image.width", "image.height", "image_id", "image_status")
  .show(false)
