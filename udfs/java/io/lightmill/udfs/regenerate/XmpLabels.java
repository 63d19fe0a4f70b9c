package io.lightmill.udfs.regenerate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.draw.ImageMarking;
import io.lightmill.udfs.option.WatermarkKey;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;

/** The labels in the XMP packet of an image file, with which it is written again. */
final class XmpLabels {

  private static final JsonMapper JSON = new JsonMapper();

  private XmpLabels() {}

  /** The name of the model, which is the location of its checkpoint unless the run named it. */
  static Optional<String> system(Map<String, String> xmp) {
    return Optional.ofNullable(xmp.get("Iptc4xmpExt:AISystemUsed"));
  }

  /** The marks of a file without a signature. */
  static ImageMarking marking(
      Map<String, String> xmp, Model model, PromptMetadata prompts, WatermarkKey watermark) {
    return new ImageMarking(
        system(xmp).orElse(model.name()),
        xmp.get("photoshop:Credit"),
        time(xmp.get("xmp:CreateDate")),
        producer(xmp.get("TC260:AIGC")),
        prompts,
        watermark,
        null);
  }

  private static Instant time(String text) {
    try {
      return text == null ? null : Instant.parse(text);
    } catch (DateTimeParseException e) {
      return null; // of another program: the files will differ
    }
  }

  private static String producer(String label) {
    try {
      return label == null ? null : JSON.readTree(label).path("ContentProducer").textValue();
    } catch (JsonProcessingException e) {
      return null; // of another program: the files will differ
    }
  }
}
