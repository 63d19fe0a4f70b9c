package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.PROVENANCE;

import io.lightmill.pipeline.image.PromptMetadata;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Optional;

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

  public static final Option<String> C2PA_CERTIFICATE =
      Option.of(
              "c2pa-certificate",
              OptionType.text(),
              "FILE.pem",
              PROVENANCE,
              "Signs a C2PA manifest in each file with this chain of certificates, the signer's"
                  + " first. A local file of each node, or one on any Hadoop file system.")
          .besideJobFile();

  public static final Option<String> C2PA_KEY =
      Option.of(
              "c2pa-key",
              OptionType.text(),
              "FILE.pem",
              PROVENANCE,
              "Private key of the signer's certificate (P-256, not encrypted). Each executor reads"
                  + " the file into memory; it is never copied.")
          .besideJobFile();

  public static final Option<URI> C2PA_TIMESTAMP =
      Option.of(
          "c2pa-timestamp",
          OptionType.of("an http or https URL", ProvenanceOptions::url, URI::toString),
          "URL",
          PROVENANCE,
          "Adds a time stamp of this server (RFC 3161) to each signature: one request per image.");

  public static final Option<WatermarkKey> WATERMARK =
      Option.of(
          "watermark",
          WatermarkKey.TYPE,
          "KEY",
          PROVENANCE,
          "Adds an imperceptible watermark that whoever knows this key can detect, such as the"
              + " provider's name or a long secret. It changes pixels, so that images have other"
              + " ids. Run records do not contain the key.");

  static final List<Option<?>> ALL =
      List.of(
          PROVIDER,
          AI_SYSTEM,
          PROMPT_METADATA,
          CREATION_TIME,
          AIGC_PRODUCER,
          C2PA_CERTIFICATE,
          C2PA_KEY,
          C2PA_TIMESTAMP,
          WATERMARK);

  private ProvenanceOptions() {}

  private static Optional<URI> url(String text) {
    try {
      return Optional.of(new URI(text.strip()))
          .filter(url -> url.getHost() != null && url.getUserInfo() == null)
          .filter(url -> url.getScheme().matches("(?i)https?"));
    } catch (URISyntaxException e) {
      return Optional.empty(); // the option says what a URL must be
    }
  }

  private static OptionType<String> name() {
    return OptionType.text(
        text ->
            !text.isBlank()
                && text.length() <= 200
                && text.chars().noneMatch(Character::isISOControl),
        "1 to 200 characters without control characters");
  }
}
