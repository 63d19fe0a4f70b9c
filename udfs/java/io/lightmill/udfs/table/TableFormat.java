package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The formats of prompt tables, and how to tell them from names of files. */
enum TableFormat {
  CSV,
  PARQUET,
  JSON,
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
                    "table format '%s' does not exist; choose csv, parquet, json or table"
                        .formatted(name)));
  }

  /**
   * The format of the files at a location, by their extension.
   *
   * @return empty if no file exists there
   * @throws LightmillException with {@code INPUT_INVALID} if the files have no known format or
   *     several, or cannot be listed
   */
  static Optional<TableFormat> ofFiles(String location, Configuration hadoop) {
    try {
      FileStatus[] found = found(location, hadoop);
      if (found.length == 0) {
        return Optional.empty();
      }
      Path path = new Path(location);
      Optional<TableFormat> byName = ofName(path.getName());
      return byName.isPresent()
          ? byName
          : Optional.of(only(location, found, formats(path.getFileSystem(hadoop), found)));
    } catch (IOException e) {
      throw unreadable(location, e);
    }
  }

  /** Whether a file or directory exists at a location. */
  static boolean exists(String location, Configuration hadoop) {
    return found(location, hadoop).length > 0;
  }

  private static FileStatus[] found(String location, Configuration hadoop) {
    try {
      Path path = new Path(location);
      FileStatus[] found = path.getFileSystem(hadoop).globStatus(path);
      return found == null ? new FileStatus[0] : found;
    } catch (IOException | IllegalArgumentException e) {
      throw unreadable(location, e);
    }
  }

  private static LightmillException unreadable(String location, Exception cause) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "prompt table '%s' cannot be found: %s".formatted(location, cause.getMessage()),
        cause);
  }

  private static TableFormat only(String location, FileStatus[] found, Set<TableFormat> formats) {
    if (formats.size() == 1) {
      return formats.iterator().next();
    }
    throw new LightmillException(
        ErrorCode.INPUT_INVALID,
        "prompt table '%s' %s".formatted(location, reason(found, formats)));
  }

  private static String reason(FileStatus[] found, Set<TableFormat> formats) {
    if (!formats.isEmpty()) {
      return "holds files of several formats (%s); name one of them (--input-format), or give one file"
          .formatted(formats.stream().map(TableFormat::label).collect(Collectors.joining(", ")));
    }
    return Arrays.stream(found).allMatch(FileStatus::isFile)
        ? "does not end in .csv, .parquet, .json, .jsonl or .ndjson; save it in one of these"
            + " formats, or name its format (--input-format)"
        : "is a directory without a file that ends in .csv, .parquet, .json, .jsonl or .ndjson;"
            + " give another, or name the format of its files (--input-format)";
  }

  private static Set<TableFormat> formats(FileSystem files, FileStatus[] found) throws IOException {
    Set<TableFormat> formats = EnumSet.noneOf(TableFormat.class);
    for (FileStatus file : found) {
      String name = file.getPath().getName();
      if (name.startsWith("_") || name.startsWith(".")) {
        continue;
      }
      if (file.isDirectory()) {
        formats.addAll(formats(files, files.listStatus(file.getPath())));
      } else {
        ofName(name).ifPresent(formats::add);
      }
    }
    return formats;
  }

  private static Optional<TableFormat> ofName(String name) {
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
    return name().toLowerCase(Locale.ROOT);
  }
}
