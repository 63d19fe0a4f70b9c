import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.c2pa.C2paClaim;
import io.lightmill.pipeline.c2pa.C2paSigner;
import io.lightmill.pipeline.c2pa.SigningCredential;
import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.ImageLabels;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.pipeline.image.Receipt;
import io.lightmill.pipeline.watermark.Watermark;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;

/**
 * CPU time of marking one image: {@code MarkingCost CHAIN.pem KEY.pem SIDE TIMES}, after as many
 * images to warm up.
 */
class MarkingCost {

  public static void main(String[] args) throws Exception {
    int side = Integer.parseInt(args[2]);
    int times = Integer.parseInt(args[3]);
    byte[] rgb = new byte[side * side * 3];
    Random random = new Random(1);
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (128 + 60 * Math.sin(i / 300.0) + 4 * random.nextGaussian());
    }
    RgbImage image = new RgbImage(side, side, rgb);
    Watermark watermark = new Watermark("Example Inc.");
    C2paSigner signer =
        new C2paSigner(
            SigningCredential.read(pem(args[0]), pem(args[1]), Instant.now()), Optional.empty());
    C2paClaim claim = new C2paClaim("Lightmill", "pocket", Optional.of(Instant.now()));
    ImageLabels labels =
        new ImageLabels(
            Optional.of("972d54394a889a66293b9dcfbb7d357f"),
            Optional.of("Example Inc."),
            Optional.of(Instant.now()),
            Optional.of("001191110108MA01"),
            PromptMetadata.FULL);
    Receipt receipt = receipt(side);
    byte[] plain = ImageEncoder.png(image);
    byte[] file = ImageEncoder.encode(image, receipt, labels, FileFormat.of(ImageFormat.PNG));
    System.out.printf("%d x %d, PNG of %d bytes%n", side, side, file.length);
    double bare = time("PNG without marks", times, () -> ImageEncoder.png(image));
    double labelled =
        time(
            "PNG with receipt, XMP",
            times,
            () -> ImageEncoder.encode(image, receipt, labels, FileFormat.of(ImageFormat.PNG)));
    double marked = time("watermark", times, () -> watermark.embed(image));
    double signed = time("C2PA manifest, ES256", times, () -> signer.sign(file, claim));
    System.out.printf(
        "all marks: %.2f ms; %d bytes more%n",
        labelled - bare + marked + signed, signer.sign(file, claim).length - plain.length);
  }

  private static double time(String what, int times, Runnable work) {
    for (int i = 0; i < times; i++) {
      work.run();
    }
    long start = cpu();
    for (int i = 0; i < times; i++) {
      work.run();
    }
    double millis = (cpu() - start) / 1e6 / times;
    System.out.printf("%-24s %6.2f ms%n", what, millis);
    return millis;
  }

  private static long cpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static PemFile pem(String file) throws java.io.IOException {
    return new PemFile(file, Files.readAllBytes(Path.of(file)));
  }

  private static Receipt receipt(int side) {
    ImageRequest request =
        ImageRequest.builder("a red mug on a wooden table")
            .width(side)
            .height(side)
            .numInferenceSteps(8)
            .guidanceScale(3.5)
            .trueCfgScale(1)
            .maxSequenceLength(64)
            .seed(42)
            .build();
    return new Receipt(
        request,
        ClassifierFreeGuidance.TRUE_CFG_SCALE,
        "Euler",
        "Simple",
        "builtin:pocket",
        "f50a4f3a369ff50a4f3a369f",
        "Lightmill",
        "{\"prompt\":\"a red mug on a wooden table\",\"seed\":42}");
  }
}
