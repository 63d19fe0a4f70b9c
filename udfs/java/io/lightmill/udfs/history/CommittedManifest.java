package io.lightmill.udfs.history;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.store.ListedObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.Strings;

/**
 * A committed manifest in a listing. It is one file, or the directory that an older release wrote,
 * which is committed if it has a {@value Manifest#OLD_SUCCESS}.
 *
 * @param key of the file or the directory
 * @param file a Parquet file of the manifest
 * @param modified the latest time of its files, by the clock of the store
 * @param bytes length of its files
 */
public record CommittedManifest(
    String runId, String key, String file, Instant modified, long bytes) {

  private static final String FILES = Manifest.DIRECTORY + "/";

  /** Whether an older release wrote it. */
  public boolean isDirectory() {
    return !key.equals(file);
  }

  /**
   * The committed manifests, by the names of their runs.
   *
   * @param listed all objects below {@link Manifest#DIRECTORY}
   */
  public static List<CommittedManifest> of(List<ListedObject> listed) {
    Map<String, CommittedManifest> byRun = new TreeMap<>();
    Map<String, List<ListedObject>> directories =
        listed.stream()
            .collect(Collectors.groupingBy(it -> StringUtils.substringBeforeLast(it.key(), "/")));
    directories.forEach(
        (directory, objects) -> {
          if (isCommitted(directory, objects)) {
            CommittedManifest found = directory(directory, objects);
            byRun.put(found.runId, found);
          }
        });
    // After the files, since one takes the place of the directory that it was converted from.
    directories
        .getOrDefault(Manifest.DIRECTORY, List.of())
        .forEach(
            object -> {
              if (object.key().endsWith(Manifest.EXTENSION)) {
                CommittedManifest found = file(object);
                byRun.put(found.runId, found);
              }
            });
    return new ArrayList<>(byRun.values());
  }

  private static boolean isCommitted(String directory, List<ListedObject> objects) {
    return directory.startsWith(FILES + Manifest.OLD_PREFIX)
        && objects.stream().anyMatch(it -> it.key().endsWith("/" + Manifest.OLD_SUCCESS));
  }

  private static CommittedManifest file(ListedObject object) {
    String name = Strings.CS.removeStart(object.key(), FILES);
    return new CommittedManifest(
        Strings.CS.removeEnd(name, Manifest.EXTENSION),
        object.key(),
        object.key(),
        object.modified(),
        object.bytes());
  }

  private static CommittedManifest directory(String directory, List<ListedObject> objects) {
    return new CommittedManifest(
        Strings.CS.removeStart(directory, FILES + Manifest.OLD_PREFIX),
        directory,
        objects.stream()
            .map(ListedObject::key)
            .filter(key -> key.endsWith(Manifest.EXTENSION))
            .min(Comparator.naturalOrder())
            .orElse(directory + "/"),
        objects.stream().map(ListedObject::modified).max(Comparator.naturalOrder()).orElseThrow(),
        objects.stream().mapToLong(ListedObject::bytes).sum());
  }
}
