package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.OUTPUT;
import static io.lightmill.udfs.option.OptionGroup.PROMPTS;

import java.util.List;

/** The options of tables with versions, and of files in OpenAI's batch format. */
public final class LakehouseOptions {

  public static final Option<String> INPUT_VERSION =
      Option.of(
          "input-version",
          OptionType.text(text -> !text.isBlank(), "a version, a snapshot id, a branch or a tag"),
          "VERSION",
          PROMPTS,
          "Version of a Delta or Iceberg table to read: the number of a Delta version; an Iceberg"
              + " snapshot id, branch or tag.");

  public static final Option<String> INPUT_TIMESTAMP =
      Option.of(
          "input-timestamp",
          OptionType.text(text -> !text.isBlank(), "a time such as 2026-11-26 09:00:00"),
          "TIME",
          PROMPTS,
          "Read a Delta or Iceberg table as it was at this time, such as \"2026-11-26 09:00:00\" in"
              + " the time zone of the session.");

  public static final Option<String> MANIFEST_TABLE =
      Option.of(
          "manifest-table",
          OptionType.text(text -> !text.isBlank(), "the name of a table such as catalog.db.images"),
          "TABLE",
          OUTPUT,
          "Delta or Iceberg table, such as catalog.db.images, that gets the current state of the"
              + " output after each run by MERGE on id and variant. It is created if it is"
              + " missing.");

  public static final Option<LakeFormat> MANIFEST_TABLE_FORMAT =
      Option.of(
          "manifest-table-format",
          OptionType.choice(LakeFormat.class),
          "FORMAT",
          OUTPUT,
          "Format of a manifest table that is created: delta or iceberg. By default that of its"
              + " catalogue.");

  public static final Option<String> BATCH_OUTPUT =
      Option.of(
          "batch-output",
          OptionType.text(text -> !text.isBlank(), "a directory"),
          "DIRECTORY",
          OUTPUT,
          "Directory for the results of each run in OpenAI's batch format: output.jsonl, and"
              + " errors.jsonl for requests without images.");

  /** Has its default where it is used: only a run with batch results has it. */
  public static final Option<BatchImages> BATCH_IMAGES =
      Option.of(
          "batch-images",
          OptionType.choice(BatchImages.class),
          "WHAT",
          OUTPUT,
          "What batch results contain of images: url, where they are stored; or b64_json, the image"
              + " files themselves. Default: url.");

  /** In the order of the help text. */
  static final List<Option<?>> OF_PROMPTS = List.of(INPUT_VERSION, INPUT_TIMESTAMP);

  /** In the order of the help text. */
  static final List<Option<?>> OF_OUTPUT =
      List.of(MANIFEST_TABLE, MANIFEST_TABLE_FORMAT, BATCH_OUTPUT, BATCH_IMAGES);

  private LakehouseOptions() {}
}
