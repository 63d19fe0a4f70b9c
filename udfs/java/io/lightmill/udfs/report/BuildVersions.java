package io.lightmill.udfs.report;

import io.lightmill.pipeline.torch.Torch;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/** The versions of Lightmill and of what it is built with. */
public final class BuildVersions {

  private BuildVersions() {}

  private static final String UNKNOWN = "unknown";

  /**
   * Of {@code lightmill}, {@code djl}, {@code libtorch} (the one that runs, where this JVM has
   * started it), {@code java} and {@code spark}; and {@code commit}, the Git commit of the sources
   * with {@code +changes} if there were any, which is {@code unknown} where they were built outside
   * of a Git repository.
   */
  public static Map<String, String> byName() {
    Properties built = built();
    Map<String, String> versions = new LinkedHashMap<>();
    for (String name : new String[] {"lightmill", "djl", "libtorch"}) {
      versions.put(name, built.getProperty(name));
    }
    Torch.startedVersion().ifPresent(started -> versions.put("libtorch", started));
    versions.put("java", Runtime.version().toString());
    versions.put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION());
    String commit = known(built, "commit");
    versions.put("commit", "true".equals(known(built, "changed")) ? commit + "+changes" : commit);
    return versions;
  }

  /** The time of the Git commit of the sources, or {@code unknown}. */
  public static String committed() {
    return known(built(), "committed");
  }

  /** Without Git, the placeholder of the build is still there. */
  private static String known(Properties built, String name) {
    String value = built.getProperty(name, "");
    return value.isEmpty() || value.startsWith("${") ? UNKNOWN : value;
  }

  private static Properties built() {
    Properties built = new Properties();
    try (InputStream resource = BuildVersions.class.getResourceAsStream("versions.properties")) {
      built.load(resource);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return built;
  }
}
