import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.Pixels;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.pipeline.watermark.WatermarkDetection;
import io.lightmill.pipeline.watermark.WatermarkSearch;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;

/**
 * Rates of the watermark: {@code WatermarkRates DIRECTORY SIDE COUNT KEYS}. Takes COUNT pictures of
 * SIDE pixels from the images of a directory (squares out of larger ones), marks them, changes
 * them, and counts how many are found; looks for KEYS other keys in the same pictures without a
 * mark.
 */
class WatermarkRates {

  public static void main(String[] args) throws Exception {
    int side = Integer.parseInt(args[1]);
    List<RgbImage> pictures = pictures(Path.of(args[0]), side, Integer.parseInt(args[2]));
    int keys = Integer.parseInt(args[3]);
    Watermark mark = new Watermark("Example Inc.");
    List<Watermark> others = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      others.add(new Watermark("key " + i));
    }
    Map<String, UnaryOperator<BufferedImage>> changes = changes();
    double psnr = 0;
    double worst = 99;
    long embedding = 0;
    List<RgbImage> marked = new ArrayList<>();
    for (RgbImage picture : pictures) {
      long start = System.nanoTime();
      marked.add(mark.embed(picture));
      embedding += System.nanoTime() - start;
      double ratio = psnr(picture, marked.get(marked.size() - 1));
      psnr += ratio;
      worst = Math.min(worst, ratio);
    }
    System.out.printf(
        "%d pictures of %d pixels: PSNR %.1f dB, worst %.1f dB; %.2f ms to mark one%n",
        pictures.size(), side, psnr / pictures.size(), worst, embedding / 1e6 / pictures.size());
    for (Map.Entry<String, UnaryOperator<BufferedImage>> change : changes.entrySet()) {
      int found = 0;
      double[] scores = new double[pictures.size()];
      long detecting = 0;
      for (int i = 0; i < scores.length; i++) {
        RgbImage changed = Pixels.copy(change.getValue().apply(Pixels.view(marked.get(i))));
        long start = System.nanoTime();
        WatermarkDetection detection = mark.detect(changed);
        detecting += System.nanoTime() - start;
        scores[i] = detection.score();
        found += detection.found() ? 1 : 0;
      }
      long alarms = 0;
      double highest = 0;
      for (int i = 0; i < scores.length && keys > 0; i++) {
        RgbImage changed = Pixels.copy(change.getValue().apply(Pixels.view(pictures.get(i))));
        WatermarkSearch search = new WatermarkSearch(changed);
        for (Watermark other : others) {
          WatermarkDetection detection = other.detect(search);
          alarms += detection.found() ? 1 : 0;
          highest = Math.max(highest, detection.score());
        }
      }
      Arrays.sort(scores);
      System.out.printf(
          "%-22s found %5.1f %%  scores: 1%% %.1f, median %.1f;  false alarms %d of %d, highest"
              + " %.2f; %.1f ms%n",
          change.getKey(),
          100.0 * found / scores.length,
          scores[scores.length / 100],
          scores[scores.length / 2],
          alarms,
          (long) keys * scores.length,
          highest,
          detecting / 1e6 / scores.length);
    }
  }

  private static Map<String, UnaryOperator<BufferedImage>> changes() {
    Random random = new Random(5);
    UnaryOperator<BufferedImage> crop =
        image -> {
          int width = (int) (image.getWidth() * 0.9);
          int height = (int) (image.getHeight() * 0.9);
          int x = random.nextInt(image.getWidth() - width + 1);
          int y = random.nextInt(image.getHeight() - height + 1);
          return rgb(image.getSubimage(x, y, width, height));
        };
    Map<String, UnaryOperator<BufferedImage>> changes = new LinkedHashMap<>();
    changes.put("none", image -> image);
    changes.put("JPEG 85", image -> jpeg(image, 0.85f));
    changes.put("half", image -> scaled(image, 0.5));
    changes.put("crop 10 %", crop);
    changes.put("JPEG 75", image -> jpeg(image, 0.75f));
    changes.put("crop 10 %, JPEG 85", image -> jpeg(crop.apply(image), 0.85f));
    changes.put("half, JPEG 85", image -> jpeg(scaled(image, 0.5), 0.85f));
    changes.put("three quarters", image -> scaled(image, 0.75));
    return changes;
  }

  private static BufferedImage rgb(BufferedImage image) {
    BufferedImage copy =
        new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = copy.createGraphics();
    graphics.drawImage(image, 0, 0, null);
    graphics.dispose();
    return copy;
  }

  private static BufferedImage scaled(BufferedImage image, double scale) {
    BufferedImage copy =
        new BufferedImage(
            (int) (image.getWidth() * scale),
            (int) (image.getHeight() * scale),
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = copy.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    graphics.drawImage(rgb(image), 0, 0, copy.getWidth(), copy.getHeight(), null);
    graphics.dispose();
    return copy;
  }

  private static BufferedImage jpeg(BufferedImage image, float quality) {
    try {
      ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      writer.setOutput(ImageIO.createImageOutputStream(bytes));
      writer.write(null, new IIOImage(rgb(image), null, null), param);
      writer.dispose();
      return ImageIO.read(new ByteArrayInputStream(bytes.toByteArray()));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static double psnr(RgbImage a, RgbImage b) {
    double sum = 0;
    for (int i = 0; i < a.rgb().length; i++) {
      double difference = (a.rgb()[i] & 0xff) - (b.rgb()[i] & 0xff);
      sum += difference * difference;
    }
    return 10 * Math.log10(255.0 * 255 * a.rgb().length / Math.max(1, sum));
  }

  private static List<RgbImage> pictures(Path directory, int side, int count) throws Exception {
    List<File> files;
    try (var all = Files.walk(directory)) {
      files =
          new ArrayList<>(
              all.filter(file -> file.toString().matches(".*\\.(png|jpe?g)"))
                  .sorted()
                  .map(Path::toFile)
                  .toList());
    }
    Random random = new Random(3);
    int each = (count + files.size() - 1) / files.size();
    List<RgbImage> pictures = new ArrayList<>();
    for (File file : files) {
      BufferedImage image = ImageIO.read(file);
      if (image == null || image.getWidth() < side || image.getHeight() < side) {
        continue;
      }
      double scale = Math.max(1080.0, side) / Math.min(image.getWidth(), image.getHeight());
      BufferedImage base = scale < 1 ? scaled(image, scale) : rgb(image);
      for (int i = 0; i < each && pictures.size() < count; i++) {
        int x = random.nextInt(base.getWidth() - side + 1);
        int y = random.nextInt(base.getHeight() - side + 1);
        pictures.add(Pixels.copy(rgb(base.getSubimage(x, y, side, side))));
      }
    }
    return pictures;
  }
}
