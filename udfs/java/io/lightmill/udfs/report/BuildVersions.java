package io.lightmill.udfs.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/** The versions of Lightmill and of what it is built with. */
public final class BuildVersions {

  private BuildVersions() {}

  /** Of {@code lightmill}, {@code djl}, {@code libtorch} and {@code java}. */
  public static Map<String, String> byName() {
    Properties built = new Properties();
    try (InputStream resource = BuildVersions.class.getResourceAsStream("versions.properties")) {
      built.load(resource);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Map<String, String> versions = new LinkedHashMap<>();
    for (String name : new String[] {"lightmill", "djl", "libtorch"}) {
      versions.put(name, built.getProperty(name));
    }
    versions.put("java", Runtime.version().toString());
    return versions;
  }
}
