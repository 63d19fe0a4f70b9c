package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Optional;
import org.apache.spark.sql.DataFrameReader;

/**
 * Which version of a table is read.
 *
 * @param version a number, an id or a name; at most one of the two is given
 * @param timestamp the version at this time
 */
public record TableVersion(Optional<String> version, Optional<String> timestamp) {

  /** The newest version. */
  public static final TableVersion NEWEST = new TableVersion(Optional.empty(), Optional.empty());

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if both are given
   */
  public TableVersion {
    if (version.isPresent() && timestamp.isPresent()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "options 'input-version' and 'input-timestamp' exclude each other; remove one");
    }
  }

  boolean isNewest() {
    return version.isEmpty() && timestamp.isEmpty();
  }

  /** The clause of SQL after the name of a table. */
  String clause() {
    return version
        .map(it -> " VERSION AS OF " + (it.strip().matches("\\d+") ? it.strip() : literal(it)))
        .or(() -> timestamp.map(it -> " TIMESTAMP AS OF " + literal(it)))
        .orElse("");
  }

  private static String literal(String text) {
    return "'" + text.strip().replace("\\", "\\\\").replace("'", "\\'") + "'";
  }

  DataFrameReader of(DataFrameReader reader) {
    DataFrameReader asOf = version.map(it -> reader.option("versionAsOf", it)).orElse(reader);
    return timestamp.map(it -> asOf.option("timestampAsOf", it)).orElse(asOf);
  }

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} unless the newest is read
   */
  void requireNewest(String location) {
    if (!isNewest()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "prompt table '%s' has no versions; remove the option '%s', or give a Delta or Iceberg table"
              .formatted(location, version.isPresent() ? "input-version" : "input-timestamp"));
    }
  }
}
