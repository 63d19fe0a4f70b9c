package io.lightmill.pipeline.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;

/** Reads XMP packets with the JDK's XML parser. */
final class Xmp {

  private static final String IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";

  private Xmp() {}

  static void assertMarked(byte[] packet, String prompt) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    Document xmp = factory.newDocumentBuilder().parse(new ByteArrayInputStream(packet));

    assertThat(xmp.getDocumentElement().getNamespaceURI()).isEqualTo("adobe:ns:meta/");
    assertThat(text(xmp, IPTC, "DigitalSourceType"))
        .isEqualTo("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia");
    assertThat(text(xmp, "http://ns.adobe.com/xap/1.0/", "CreatorTool"))
        .isEqualTo("Lightmill 0.1.0");
    assertThat(text(xmp, IPTC, "AISystemUsed")).isEqualTo("black-forest-labs/FLUX.1-dev");
    assertThat(text(xmp, IPTC, "AIPromptInformation")).isEqualTo(prompt);
  }

  private static String text(Document xmp, String namespace, String name) {
    assertThat(xmp.getElementsByTagNameNS(namespace, name).getLength()).isEqualTo(1);
    return xmp.getElementsByTagNameNS(namespace, name).item(0).getTextContent();
  }
}
