package io.lightmill.pipeline.image;

import org.apache.commons.text.StringEscapeUtils;

/**
 * The XMP packet of a generated image. It marks the image as made by a trained model, in the
 * property that Google Merchant Center and others require, and names model and prompt in properties
 * of the IPTC Photo Metadata Standard 2025.1; provider, time and unique identifier where the labels
 * have them, and the AIGC label of GB 45438-2025.
 */
final class XmpPacket {

  static final String TRAINED_ALGORITHMIC_MEDIA =
      "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

  /** Limit for the prompt: even at six bytes per character, a packet fits one JPEG segment. */
  private static final int PROMPT_CHARACTERS = 8_000;

  /** Limit for every other value, for the same reason. */
  private static final int VALUE_CHARACTERS = 500;

  private XmpPacket() {}

  static String of(Receipt receipt, ImageLabels labels) {
    StringBuilder properties = new StringBuilder();
    add(properties, "xmp:CreatorTool", receipt.software(), VALUE_CHARACTERS);
    labels
        .created()
        .ifPresent(time -> add(properties, "xmp:CreateDate", time.toString(), VALUE_CHARACTERS));
    labels
        .provider()
        .ifPresent(name -> add(properties, "photoshop:Credit", name, VALUE_CHARACTERS));
    add(properties, "Iptc4xmpExt:DigitalSourceType", TRAINED_ALGORITHMIC_MEDIA, VALUE_CHARACTERS);
    labels
        .imageId()
        .ifPresent(id -> add(properties, "Iptc4xmpExt:DigImageGUID", id, VALUE_CHARACTERS));
    add(properties, "Iptc4xmpExt:AISystemUsed", receipt.model(), VALUE_CHARACTERS);
    add(properties, "Iptc4xmpExt:AISystemVersionUsed", receipt.modelDigest(), VALUE_CHARACTERS);
    if (labels.prompt() != PromptMetadata.NONE) {
      add(
          properties,
          "Iptc4xmpExt:AIPromptInformation",
          receipt.request().prompt(),
          PROMPT_CHARACTERS);
    }
    labels
        .aigcProducer()
        .ifPresent(
            producer ->
                add(properties, "TC260:AIGC", aigc(producer, labels), 4 * VALUE_CHARACTERS));
    return """
    <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
    <x:xmpmeta xmlns:x="adobe:ns:meta/">
     <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about=""
        xmlns:xmp="http://ns.adobe.com/xap/1.0/"
        xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
        xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
        xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">
    %s  </rdf:Description>
     </rdf:RDF>
    </x:xmpmeta>
    <?xpacket end="r"?>
    """
        .formatted(properties);
  }

  /** The label of GB 45438-2025, appendix E, as a generator writes it: without a propagator. */
  private static String aigc(String producer, ImageLabels labels) {
    return """
    {"Label":"1","ContentProducer":"%s","ProduceID":"%s","ReservedCode1":"",\
    "ContentPropagator":"","PropagateID":"","ReservedCode2":""}\
    """
        .formatted(
            StringEscapeUtils.escapeJson(producer),
            StringEscapeUtils.escapeJson(labels.imageId().orElse("")));
  }

  private static void add(StringBuilder properties, String name, String value, int characters) {
    properties.append("   <%s>%s</%s>\n".formatted(name, text(value, characters), name));
  }

  private static String text(String value, int characters) {
    String cut =
        value.length() <= characters ? value : value.substring(0, characters - 1) + "\u2026";
    return StringEscapeUtils.escapeXml10(cut);
  }
}
