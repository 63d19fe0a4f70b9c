package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.PROVENANCE;

import io.lightmill.pipeline.image.PromptMetadata;
import java.util.List;

/** What image files say about where they come from. */
public final class ProvenanceOptions {

  public static final Option<String> PROVIDER =
      Option.of(
          "provider",
          name(),
          "NAME",
          PROVENANCE,
          "Who offers the system that generates the images; stored in each file.");

  public static final Option<String> AI_SYSTEM =
      Option.of(
          "ai-system",
          name(),
          "NAME",
          PROVENANCE,
          "Name of the model in image files. By default the location of the checkpoint.");

  public static final Option<PromptMetadata> PROMPT_METADATA =
      Option.of(
              "prompt-metadata",
              OptionType.choice(PromptMetadata.class),
              "WHAT",
              PROVENANCE,
              "What image files contain of prompts: full, hash (SHA-256) or none. The manifest has"
                  + " the prompts in any case. Images that earlier runs have stored stay as they"
                  + " are.")
          .or(PromptMetadata.FULL);

  public static final Option<CreationTime> CREATION_TIME =
      Option.of(
              "creation-time",
              CreationTime.TYPE,
              "TIME",
              PROVENANCE,
              "Time of creation in image files: none, run (the start of the run) or a time such as"
                  + " 2026-11-26T09:00:00Z. With none or a fixed time, an image that is drawn again"
                  + " is the same byte for byte.")
          .or(CreationTime.NONE);

  public static final Option<String> AIGC_PRODUCER =
      Option.of(
          "aigc-producer",
          name(),
          "CODE",
          PROVENANCE,
          "Adds the AIGC label that China requires (GB 45438-2025), with this content producer.");

  static final List<Option<?>> ALL =
      List.of(PROVIDER, AI_SYSTEM, PROMPT_METADATA, CREATION_TIME, AIGC_PRODUCER);

  private ProvenanceOptions() {}

  private static OptionType<String> name() {
    return OptionType.text(
        text ->
            !text.isBlank()
                && text.length() <= 200
                && text.chars().noneMatch(Character::isISOControl),
        "1 to 200 characters without control characters");
  }
}
