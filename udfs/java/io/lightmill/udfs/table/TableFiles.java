package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils;

/**
 * The files of a table at a location, in the order of their paths. A name that exists is that file,
 * whatever brackets it has; any other name is a glob. Below a directory, hidden files (whose name
 * starts with a dot or an underscore) and the descriptions that belong to a dataset of the Hugging
 * Face Hub are left out, and {@code name=value} directories are columns of text.
 *
 * @param roots the files and directories that the location names
 * @param format of all files
 * @param partitionColumns names of the {@code name=value} directories, from the outermost
 */
record TableFiles(
    List<Path> roots, TableFormat format, List<TableFile> files, List<String> partitionColumns) {

  private static final Set<String> DESCRIPTIONS =
      Set.of(
          "dataset_infos.json",
          "dataset_info.json",
          "dataset_dict.json",
          "state.json",
          "croissant.json");

  private static final String DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__";

  /** A file with its directories below the root. */
  private record Found(FileStatus status, List<String> directories) {

    private String name() {
      return status.getPath().getName();
    }

    private Optional<TableFormat> format() {
      return TableFormat.ofName(name());
    }

    private Map<String, String> partition() {
      Map<String, String> partition = new LinkedHashMap<>();
      for (String directory : directories) {
        int equals = directory.indexOf('=');
        if (equals > 0) {
          String value = ExternalCatalogUtils.unescapePathName(directory.substring(equals + 1));
          partition.put(
              ExternalCatalogUtils.unescapePathName(directory.substring(0, equals)),
              value.equals(DEFAULT_PARTITION) ? null : value);
        }
      }
      return partition;
    }
  }

  /**
   * Lists the files of a table.
   *
   * @param named the format of the files; empty to tell it from their names
   * @return empty if nothing exists there
   * @throws LightmillException with {@code INPUT_INVALID} if the files have no known format or
   *     several, do not lie in the same kind of directories, or cannot be listed
   */
  static Optional<TableFiles> at(
      String location, Optional<TableFormat> named, Configuration hadoop) {
    try {
      Path path = path(location, hadoop);
      FileSystem files = path.getFileSystem(hadoop);
      List<FileStatus> roots = roots(files, path);
      if (roots.isEmpty()) {
        return Optional.empty();
      }
      List<Found> found = new ArrayList<>();
      for (FileStatus root : roots) {
        addBelow(files, root, found);
      }
      TableFormat format = named.orElseGet(() -> only(location, roots, found));
      return Optional.of(of(location, roots, format, ofFormat(found, format)));
    } catch (IOException | IllegalArgumentException e) {
      throw TaskFailures.storeUnavailable(location, e)
          .orElseGet(
              () ->
                  TableFile.invalid(
                      "prompt table '%s' cannot be found: %s".formatted(location, e.getMessage()),
                      e));
    }
  }

  /** A relative name with a colon looks like a URI, so such a name is first looked for locally. */
  private static Path path(String location, Configuration hadoop) throws IOException {
    try {
      Path path = new Path(location);
      path.getFileSystem(hadoop);
      return path;
    } catch (IllegalArgumentException | UnsupportedFileSystemException e) {
      Optional<Path> local = local(location);
      if (local.isPresent()) {
        return local.get();
      }
      throw e;
    }
  }

  private static Optional<Path> local(String location) {
    try {
      java.nio.file.Path local = java.nio.file.Path.of(location).toAbsolutePath();
      return Files.exists(local) ? Optional.of(new Path(local.toUri())) : Optional.empty();
    } catch (InvalidPathException e) { // not a name of this machine's file system
      return Optional.empty();
    }
  }

  private static List<FileStatus> roots(FileSystem files, Path path) throws IOException {
    try {
      return List.of(files.getFileStatus(path));
    } catch (FileNotFoundException e) { // may be a glob
      FileStatus[] matches = files.globStatus(path);
      return matches == null ? List.of() : List.of(matches);
    }
  }

  private static void addBelow(FileSystem files, FileStatus root, List<Found> found)
      throws IOException {
    if (root.isFile()) {
      found.add(new Found(root, List.of()));
      return;
    }
    int depth = root.getPath().depth();
    RemoteIterator<LocatedFileStatus> all = files.listFiles(root.getPath(), true);
    while (all.hasNext()) {
      FileStatus file = all.next();
      List<String> names = names(file.getPath(), file.getPath().depth() - depth);
      if (names.stream().noneMatch(TableFiles::isHidden)
          && !DESCRIPTIONS.contains(file.getPath().getName())) {
        found.add(new Found(file, names.subList(0, names.size() - 1)));
      }
    }
  }

  /** The last names of a path. */
  private static List<String> names(Path path, int count) {
    List<String> names = new ArrayList<>();
    for (Path at = path; names.size() < count; at = at.getParent()) {
      names.add(0, at.getName());
    }
    return names;
  }

  private static boolean isHidden(String name) {
    return name.startsWith(".") || (name.startsWith("_") && name.indexOf('=') < 0);
  }

  private static TableFormat only(String location, List<FileStatus> roots, List<Found> found) {
    Set<TableFormat> formats =
        found.stream()
            .flatMap(file -> file.format().stream())
            .collect(Collectors.toCollection(TreeSet::new));
    if (formats.size() == 1) {
      return formats.iterator().next();
    }
    throw new LightmillException(
        ErrorCode.INPUT_INVALID,
        "prompt table '%s' %s".formatted(location, reason(roots, found, formats)));
  }

  private static String reason(
      List<FileStatus> roots, List<Found> found, Set<TableFormat> formats) {
    if (!formats.isEmpty()) {
      return "holds files of several formats (%s); name one of them (--input-format), or give one file"
          .formatted(formats.stream().map(TableFormat::label).collect(Collectors.joining(", ")));
    }
    if (found.stream().anyMatch(file -> file.name().endsWith(".arrow"))) {
      return "holds Arrow files, as datasets.save_to_disk writes them; write it with to_parquet"
          + " instead";
    }
    return roots.stream().allMatch(FileStatus::isFile)
        ? "does not end in .csv, .parquet, .json, .jsonl or .ndjson; save it in one of these"
            + " formats, or name its format (--input-format)"
        : "is a directory without a file that ends in .csv, .parquet, .json, .jsonl or .ndjson;"
            + " give another, or name the format of its files (--input-format)";
  }

  /** The files whose name has the format; all, if none has. */
  private static List<Found> ofFormat(List<Found> found, TableFormat format) {
    List<Found> named =
        found.stream().filter(file -> file.format().equals(Optional.of(format))).toList();
    return named.isEmpty() ? found : named;
  }

  private static TableFiles of(
      String location, List<FileStatus> roots, TableFormat format, List<Found> found) {
    List<String> columns =
        found.isEmpty() ? List.of() : List.copyOf(found.get(0).partition().keySet());
    List<TableFile> files = new ArrayList<>();
    for (Found file : found) {
      Map<String, String> partition = file.partition();
      if (!List.copyOf(partition.keySet()).equals(columns)) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "the directories of prompt table '%s' name different columns: '%s' has %s, '%s' has %s; give one directory with the same name=value levels everywhere"
                .formatted(
                    location,
                    found.get(0).status().getPath(),
                    columns,
                    file.status().getPath(),
                    partition.keySet()));
      }
      files.add(
          TableFile.whole(
              file.status().getPath(),
              file.status().getLen(),
              Arrays.asList(partition.values().toArray(String[]::new))));
    }
    files.sort(Comparator.comparing(TableFile::uri));
    return new TableFiles(
        roots.stream().map(FileStatus::getPath).toList(), format, List.copyOf(files), columns);
  }
}
