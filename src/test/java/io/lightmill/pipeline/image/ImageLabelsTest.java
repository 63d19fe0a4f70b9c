package io.lightmill.pipeline.image;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.time.Instant;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class ImageLabelsTest {

  private static final String IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
  private static final String HASH =
      "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"; // of "foo"

  @Test
  void providerTimeIdentifierAndAigcLabelAreProperties() throws Exception {
    ImageLabels labels =
        new ImageLabels(
            Optional.of("0123abc"),
            Optional.of("Müller & \"Söhne\" <AG>"),
            Optional.of(Instant.parse("2026-11-26T09:00:00Z")),
            Optional.of("0011\"91110108MA01\"00001"),
            PromptMetadata.FULL);
    Document xmp = parsed(XmpPacket.of(Receipts.of("a mug"), labels));

    assertThat(text(xmp, "http://ns.adobe.com/photoshop/1.0/", "Credit"))
        .isEqualTo("Müller & \"Söhne\" <AG>");
    assertThat(text(xmp, "http://ns.adobe.com/xap/1.0/", "CreateDate"))
        .isEqualTo("2026-11-26T09:00:00Z");
    assertThat(text(xmp, IPTC, "DigImageGUID")).isEqualTo("0123abc");
    String aigc = text(xmp, "http://www.tc260.org.cn/ns/AIGC/1.0/", "AIGC");
    assertThat(new ObjectMapper().readTree(aigc))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"Label": "1", "ContentProducer": "0011\\"91110108MA01\\"00001",
                     "ProduceID": "0123abc", "ReservedCode1": "", "ContentPropagator": "",
                     "PropagateID": "", "ReservedCode2": ""}\
                    """));
  }

  @Test
  void promptsAreHashed() {
    assertThat(PromptMetadata.HASH.shown("foo")).isEqualTo(HASH);
    assertThat(PromptMetadata.NONE.shown("foo")).isEmpty();
    assertThat(PromptMetadata.FULL.shown("foo")).isEqualTo("foo");
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void aFileWithoutPromptsHasNoPromptAnywhere(ImageFormat format) throws Exception {
    Receipt receipt = Receipts.of("foo", Optional.of("bar"), 2);
    Receipt shown =
        new Receipt(
            PromptMetadata.NONE.shown(receipt.request()),
            receipt.guidance(),
            receipt.sampler(),
            receipt.scheduleType(),
            receipt.model(),
            receipt.modelDigest(),
            receipt.software(),
            "{}");
    ImageLabels labels =
        new ImageLabels(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            PromptMetadata.NONE);
    byte[] file =
        ImageEncoder.encode(Pictures.plain(8, 8, 0), shown, labels, FileFormat.of(format));

    for (String prompt : new String[] {"foo", "bar"}) {
      assertThat(new String(file, UTF_8)).doesNotContain(prompt);
      assertThat(new String(file, UTF_16BE)).doesNotContain(prompt);
      assertThat(new String(file, 1, file.length - 1, UTF_16BE)).doesNotContain(prompt);
    }
    Document xmp = parsed(XmpPacket.of(shown, labels));
    assertThat(xmp.getElementsByTagNameNS(IPTC, "AIPromptInformation").getLength()).isZero();
  }

  private static Document parsed(String packet) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    return factory.newDocumentBuilder().parse(new ByteArrayInputStream(packet.getBytes(UTF_8)));
  }

  private static String text(Document xmp, String namespace, String name) {
    NodeList found = xmp.getElementsByTagNameNS(namespace, name);
    assertThat(found.getLength()).as(name).isEqualTo(1);
    return found.item(0).getTextContent();
  }
}
