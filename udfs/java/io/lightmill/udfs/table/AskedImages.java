package io.lightmill.udfs.table;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.lora.LoraBlend;
import java.util.List;
import java.util.Optional;

/**
 * What one table row asks for. A value that could not be read is null, and then there is a fault
 * that says so.
 *
 * @param seed as given; null to derive one
 * @param truncated whether a prompt has more tokens than are read of it
 * @param faults what is wrong with the row, in the order of its columns; empty if it can be drawn
 */
public record AskedImages(
    String prompt,
    String negativePrompt,
    Integer width,
    Integer height,
    Integer numInferenceSteps,
    Double guidanceScale,
    Double trueCfgScale,
    Integer maxSequenceLength,
    Long seed,
    Integer images,
    LoraBlend lora,
    boolean truncated,
    List<Fault> faults) {

  /** A row of which nothing could be read. */
  static AskedImages unread(List<Fault> faults) {
    return new AskedImages(
        null, null, null, null, null, null, null, null, null, null, null, false, faults);
  }

  /** How many manifest rows the row comes to: one if it does not validly say. */
  public int variants() {
    return images == null || images < 1 || images > RequestRules.MOST_IMAGES_PER_PROMPT
        ? 1
        : images;
  }

  /** This row with what its prompts came to. */
  AskedImages checked(boolean nowTruncated, List<Fault> found) {
    return new AskedImages(
        prompt,
        negativePrompt,
        width,
        height,
        numInferenceSteps,
        guidanceScale,
        trueCfgScale,
        maxSequenceLength,
        seed,
        images,
        lora,
        nowTruncated,
        List.copyOf(found));
  }

  /** The request for one variant of a row without faults. */
  public ImageRequest request(long seed) {
    return new ImageRequest(
            prompt,
            Optional.ofNullable(negativePrompt),
            width,
            height,
            numInferenceSteps,
            guidanceScale,
            trueCfgScale,
            maxSequenceLength,
            seed)
        .with(lora);
  }
}
