package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.LakeFormat;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.lang3.StringUtils;

/** The formats of prompt tables, and how to tell them from names of files. */
enum TableFormat {
  CSV,
  PARQUET,
  JSON,
  OPENAI_BATCH,
  DELTA,
  ICEBERG,
  TABLE;

  private static final Set<String> COMPRESSIONS = Set.of("gz", "bz2", "zst", "lz4", "snappy");

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for any other name
   */
  static TableFormat named(String name) {
    return Arrays.stream(values())
        .filter(format -> format.label().equals(name.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.CONFIGURATION_INVALID,
                    "table format '%s' does not exist; choose csv, parquet, json, openai-batch, delta, iceberg or table"
                        .formatted(name)));
  }

  /** The format of a file, by its extension below that of a compression. */
  static Optional<TableFormat> ofName(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    String last = StringUtils.substringAfterLast(lower, ".");
    String plain =
        COMPRESSIONS.contains(last) ? StringUtils.substringBeforeLast(lower, ".") : lower;
    return switch (StringUtils.substringAfterLast(plain, ".")) {
      case "csv" -> Optional.of(CSV);
      case "parquet" -> Optional.of(PARQUET);
      case "json", "jsonl", "ndjson" -> Optional.of(JSON);
      default -> Optional.empty();
    };
  }

  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The format of a table whose library users add to the session; empty for others. */
  Optional<LakeFormat> lake() {
    return switch (this) {
      case DELTA -> Optional.of(LakeFormat.DELTA);
      case ICEBERG -> Optional.of(LakeFormat.ICEBERG);
      default -> Optional.empty();
    };
  }
}
