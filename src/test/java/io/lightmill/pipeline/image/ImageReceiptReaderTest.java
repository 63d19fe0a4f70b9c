package io.lightmill.pipeline.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ImageReceiptReaderTest {

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void receiptsAreReadBack(ImageFormat format) {
    for (String prompt :
        new String[] {"a mug", "", Receipts.HOSTILE, "a\0b\uFFFF", "Negative prompt: x"}) {
      Receipt receipt = Receipts.of(prompt);
      byte[] object = ImageEncoder.encode(Pictures.noise(5, 4), receipt, format);

      assertThat(ImageReceiptReader.identity(object)).contains(receipt.identity());
    }
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void aTruncatedObjectHasNoReceipt(ImageFormat format) {
    byte[] object = ImageEncoder.encode(Pictures.noise(5, 4), Receipts.of("a mug"), format);

    for (int length = 0; length < object.length; length++) {
      assertThat(ImageReceiptReader.identity(Arrays.copyOf(object, length))).isEmpty();
    }
  }

  @Test
  void aDamagedPngHasNoReceipt() {
    byte[] object =
        ImageEncoder.encode(Pictures.noise(5, 4), Receipts.of("a mug"), ImageFormat.PNG);

    for (int i = 0; i < object.length; i++) {
      byte[] damaged = object.clone();
      damaged[i] ^= 0x20;
      assertThat(ImageReceiptReader.identity(damaged)).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void imagesOfOtherProgramsHaveNoReceipt(ImageFormat format) throws IOException {
    ByteArrayOutputStream object = new ByteArrayOutputStream();
    BufferedImage image = new BufferedImage(5, 4, BufferedImage.TYPE_INT_RGB);
    assertThat(ImageIO.write(image, format.extension(), object)).isTrue();

    assertThat(ImageReceiptReader.identity(object.toByteArray())).isEmpty();
  }

  @Test
  void otherBytesHaveNoReceipt() {
    assertThat(ImageReceiptReader.identity(new byte[0])).isEmpty();
    assertThat(ImageReceiptReader.identity("<svg/>".getBytes(StandardCharsets.UTF_8))).isEmpty();
    assertThat(ImageReceiptReader.identity(new byte[4096])).isEmpty();
  }
}
