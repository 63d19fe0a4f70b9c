package io.lightmill.udfs.table;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LoraBlend;
import java.util.List;
import java.util.Optional;

/**
 * What one table row asks for. A value that could not be read is null, and then there is a fault
 * that says so.
 *
 * @param seed as given; null to derive one
 * @param truncated whether a prompt has more tokens than are read of it
 * @param errors what is wrong with the row, in the order of its columns; empty if it can be drawn
 */
public record RowRequest(
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
    List<RowError> errors) {

  /** A row of which nothing could be read. */
  static RowRequest unread(List<RowError> errors) {
    return new RowRequest(
        null, null, null, null, null, null, null, null, null, null, null, false, errors);
  }

  /** How many manifest rows the row comes to: one if it does not validly say. */
  public int variants() {
    return images == null || images < 1 || images > RequestRules.MOST_IMAGES_PER_PROMPT
        ? 1
        : images;
  }

  /** This row with what its prompts came to. */
  RowRequest checked(boolean nowTruncated, List<RowError> found) {
    return new RowRequest(
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

  /** The request for one variant of a row without errors. */
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
