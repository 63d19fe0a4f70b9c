package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.c2pa.Authority;
import io.lightmill.pipeline.c2pa.C2paClaim;
import io.lightmill.pipeline.c2pa.C2paSigner;
import io.lightmill.pipeline.c2pa.SigningCredential;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.Pictures;
import io.lightmill.pipeline.image.Receipts;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.udfs.regenerate.DrawnFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InspectCommandTest {

  private static final Authority AUTHORITY = new Authority();
  private static final KeyPair KEYS = Authority.keys();
  private static final String KEY = "Example Inc.";

  @TempDir Path directory;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int inspect(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "inspect";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return Lightmill.run(new PrintWriter(out), new PrintWriter(err), all);
  }

  private String file(String name, byte[] content) throws IOException {
    return Files.write(directory.resolve(name), content).toString();
  }

  private static byte[] signed(ImageFormat format, String prompt) {
    RgbImage marked = new Watermark(KEY).embed(Pictures.slopes(128, 96));
    C2paSigner signer =
        new C2paSigner(
            SigningCredential.read(
                Authority.pem("chain.pem", AUTHORITY.signer(KEYS)),
                Authority.pem("key.pem", KEYS.getPrivate()),
                Instant.now()),
            Optional.empty());
    return signer.sign(
        ImageEncoder.encode(marked, Receipts.of(prompt), format),
        new C2paClaim("Lightmill", "pocket", Optional.empty()));
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void everythingInAFileIsPrinted(ImageFormat format) throws IOException {
    String image = file("image", signed(format, "a mug\u001b[31m"));
    String roots = file("roots.pem", Authority.pem("roots.pem", AUTHORITY.root()).content());

    assertThat(inspect(image, "--trust", roots, "--watermark", KEY)).isEqualTo(ExitStatus.DONE);
    assertThat(out.toString())
        .contains(image + ": " + format)
        .contains("receipt   {\"prompt\":\"a mug\\u001B[31m\",\"seed\":42}")
        .contains("xmp       Iptc4xmpExt:AISystemUsed = black-forest-labs/FLUX.1-dev")
        .contains("c2pa      trusted")
        .contains("c2pa      signer O=Test,CN=Signer")
        .contains("c2pa      action c2pa.created (trainedAlgorithmicMedia)")
        .contains("c2pa      success assertion.dataHash.match: hash of the file")
        .contains("watermark found: score ")
        .doesNotContain("\u001b");
  }

  @Test
  void anAlteredFileIsInvalid() throws IOException {
    byte[] image = signed(ImageFormat.PNG, "a mug");
    byte[] receipt = "lightmill\0{\"prompt\":\"a mug\"".getBytes(StandardCharsets.UTF_8);
    byte[] altered = Arrays.copyOf(image, image.length);
    int end = indexOf(altered, receipt) + receipt.length - 2;
    altered[end] = 'h'; // and no longer the CRC
    altered = withCrc(altered, indexOf(altered, "tEXtlightmill".getBytes(StandardCharsets.UTF_8)));

    assertThat(inspect(file("image.png", altered))).isEqualTo(ExitStatus.COMPARISONS_FAILED);
    assertThat(out.toString())
        .contains("\"a muh\"")
        .contains("c2pa      INVALID")
        .contains("c2pa      failure assertion.dataHash.mismatch");
  }

  @Test
  void filesOfOtherProgramsHaveNothing() throws IOException {
    String image = file("image.png", ImageEncoder.png(Pictures.noise(9, 9)));

    assertThat(inspect(image, "--watermark", KEY)).isEqualTo(ExitStatus.DONE);
    assertThat(out.toString())
        .contains("receipt   none")
        .contains("xmp       none")
        .contains("c2pa      none")
        .contains("watermark not found: score ");
  }

  @Test
  void anImageIsDrawnAgainFromItsReceipt() throws IOException {
    byte[] drawn = DrawnFile.png();
    C2paSigner signer =
        new C2paSigner(
            SigningCredential.read(
                Authority.pem("chain.pem", AUTHORITY.signer(KEYS)),
                Authority.pem("key.pem", KEYS.getPrivate()),
                Instant.now()),
            Optional.empty());
    String image =
        file(
            "image.png",
            signer.sign(drawn, new C2paClaim("Lightmill", "pocket", Optional.empty())));
    Path output = directory.resolve("again.png");

    assertThat(inspect("--regenerate", "--output=" + output, image)).isEqualTo(ExitStatus.DONE);
    assertThat(out.toString())
        .contains("redrawn   identical: all 4096 decoded pixels")
        .contains("redrawn   the bytes of the file are identical, except for its C2PA manifest");
    assertThat(output).hasBinaryContent(drawn);

    byte[] other = drawn.clone();
    String receipt = "\"seed\":-7";
    other[indexOf(other, receipt.getBytes(StandardCharsets.UTF_8)) + receipt.length() - 1] = '8';
    other = withCrc(other, indexOf(other, "tEXtlightmill".getBytes(StandardCharsets.UTF_8)));
    assertThat(inspect(file("other.png", other), "--regenerate"))
        .isEqualTo(ExitStatus.COMPARISONS_FAILED);
    assertThat(out.toString())
        .containsPattern("DIFFERS: [0-9]+ of 4096 decoded pixels, by at most");
  }

  @Test
  void optionsOfTheDrawingNeedIt() throws IOException {
    String image = file("image.png", ImageEncoder.png(Pictures.noise(9, 9)));

    assertThat(inspect(image, "--checkpoint=here")).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString()).contains("without --regenerate; add it");
    assertThat(inspect(image, image, "--regenerate", "--output=x")).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString()).contains("--output names one file, but 2 images are given");
    assertThat(inspect(image, "--regenerate")).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString()).contains("has no receipt of Lightmill");
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void damagedFilesAreRefused(ImageFormat format) throws IOException {
    byte[] image = signed(format, "a mug");
    String half = file("half", Arrays.copyOf(image, image.length / 2));

    assertThat(inspect(half)).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString())
        .contains("'%s' is a damaged or truncated ".formatted(half))
        .contains("file; fetch it again");
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    assertThat(inspect(file("text", new byte[] {1, 2}))).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString()).contains("text' is not a PNG, JPEG or WebP file; give an image");
    assertThat(inspect(directory.resolve("none").toString())).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString()).contains("none' cannot be read");
  }

  @Test
  void devicesAndHugeFilesAreRefused() throws IOException {
    Path device = Files.createSymbolicLink(directory.resolve("device.png"), Path.of("/dev/zero"));
    assertThat(inspect(device.toString())).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString()).contains("device.png is a pipe or a device; replace it by a");
    Path huge = directory.resolve("huge.png");
    try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
      file.setLength(3L << 30);
    }
    assertThat(inspect(huge.toString())).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString())
        .contains("huge.png has 3221225472 bytes, and a file of its kind may");
  }

  /** Entities of XML may grow without bound, or name files of the reader. */
  @Test
  void anXmpPacketWithADocumentTypeIsMalformed() throws IOException {
    byte[] image = ImageEncoder.encode(Pictures.noise(9, 9), Receipts.of("mug"), ImageFormat.WEBP);
    byte[] packet = "<?xpacket begin=".getBytes(StandardCharsets.UTF_8);
    byte[] type =
        "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/hostname\">]><x>&a;</x><!--"
            .getBytes(StandardCharsets.UTF_8);
    System.arraycopy(type, 0, image, indexOf(image, packet), type.length);

    assertThat(inspect(file("image.webp", image))).isEqualTo(ExitStatus.DONE);
    assertThat(out.toString()).contains("xmp       malformed: the packet is not XML");
  }

  private static int indexOf(byte[] bytes, byte[] wanted) {
    for (int i = 0; i <= bytes.length - wanted.length; i++) {
      if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }

  /** Corrects the CRC of the chunk whose type is at a place. */
  private static byte[] withCrc(byte[] png, int type) {
    ByteBuffer buffer = ByteBuffer.wrap(png);
    int length = buffer.getInt(type - 4);
    CRC32 crc = new CRC32();
    crc.update(png, type, 4 + length);
    buffer.putInt(type + 4 + length, (int) crc.getValue());
    return png;
  }
}
