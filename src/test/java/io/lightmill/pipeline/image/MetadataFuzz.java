package io.lightmill.pipeline.image;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.RgbImage;
import java.io.StringReader;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/**
 * The input is the prompt and every label of an image. Whatever it is, the receipt is read back
 * unchanged from all formats, and the XMP packet is well-formed and has no element of the prompt.
 */
public final class MetadataFuzz implements FuzzTarget {

  private static final RgbImage IMAGE = Pictures.plain(2, 2, 0x804020);
  private static final int PROPERTIES = 9;

  @Override
  public void run(byte[] input) {
    String text = new String(input, UTF_8);
    if (text.isBlank()) {
      return; // no request has such a prompt
    }
    Receipt receipt = Receipts.of(text);
    ImageLabels labels =
        new ImageLabels(
            Optional.of(text),
            Optional.of(text),
            Optional.of(Instant.EPOCH),
            Optional.of(text),
            PromptMetadata.FULL);
    for (ImageFormat format : ImageFormat.values()) {
      byte[] file = ImageEncoder.encode(IMAGE, receipt, labels, FileFormat.of(format));
      Optional<String> read = ImageReceiptReader.identity(file);
      FuzzTarget.require(
          read.equals(Optional.of(receipt.identity())), "the receipt is read back from " + format);
    }
    Document packet = parsed(XmpPacket.of(receipt, labels));
    int elements = packet.getElementsByTagName("*").getLength();
    FuzzTarget.require(elements == PROPERTIES + 3, "no text is an element, but there are " + elements);
  }

  private static Document parsed(String packet) {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(packet.replace("\uFEFF", ""))));
    } catch (Exception e) {
      throw new AssertionError("an XMP packet is well-formed", e);
    }
  }

  @Override
  public List<byte[]> seeds() {
    return List.of(
        "a mug".getBytes(UTF_8),
        Receipts.HOSTILE.getBytes(UTF_8),
        "]]></rdf:li><!DOCTYPE a [<!ENTITY b \"c\">]>&b;\0\u001b[2J\ufffe".getBytes(UTF_8));
  }
}
