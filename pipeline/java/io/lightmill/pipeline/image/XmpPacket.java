package io.lightmill.pipeline.image;

import org.apache.commons.text.StringEscapeUtils;

/**
 * The XMP packet of a generated image. It marks the image as made by a trained model, in the
 * property that Google Merchant Center and others require, and names model and prompt in properties
 * of the IPTC Photo Metadata Standard 2025.1.
 */
final class XmpPacket {

  static final String TRAINED_ALGORITHMIC_MEDIA =
      "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

  /** Limit for the prompt: even at six bytes per character, a packet fits one JPEG segment. */
  private static final int PROMPT_CHARACTERS = 8_000;

  /** Limit for every other value, for the same reason. */
  private static final int VALUE_CHARACTERS = 500;

  private XmpPacket() {}

  static String of(Receipt receipt) {
    return """
    <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
    <x:xmpmeta xmlns:x="adobe:ns:meta/">
     <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about=""
        xmlns:xmp="http://ns.adobe.com/xap/1.0/"
        xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
       <xmp:CreatorTool>%s</xmp:CreatorTool>
       <Iptc4xmpExt:DigitalSourceType>%s</Iptc4xmpExt:DigitalSourceType>
       <Iptc4xmpExt:AISystemUsed>%s</Iptc4xmpExt:AISystemUsed>
       <Iptc4xmpExt:AISystemVersionUsed>%s</Iptc4xmpExt:AISystemVersionUsed>
       <Iptc4xmpExt:AIPromptInformation>%s</Iptc4xmpExt:AIPromptInformation>
      </rdf:Description>
     </rdf:RDF>
    </x:xmpmeta>
    <?xpacket end="r"?>
    """
        .formatted(
            text(receipt.software(), VALUE_CHARACTERS),
            TRAINED_ALGORITHMIC_MEDIA,
            text(receipt.model(), VALUE_CHARACTERS),
            text(receipt.modelDigest(), VALUE_CHARACTERS),
            text(receipt.request().prompt(), PROMPT_CHARACTERS));
  }

  private static String text(String value, int characters) {
    String cut =
        value.length() <= characters ? value : value.substring(0, characters - 1) + "\u2026";
    return StringEscapeUtils.escapeXml10(cut);
  }
}
