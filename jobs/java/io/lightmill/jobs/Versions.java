package io.lightmill.jobs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The releases that this build was made of; the build writes them next to this class. */
final class Versions implements IVersionProvider {

  private final Properties built = new Properties();

  Versions() {
    try (InputStream resource = Versions.class.getResourceAsStream("versions.properties")) {
      built.load(resource);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** By the names that run records use. */
  Map<String, String> byName() {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("lightmill", built.getProperty("lightmill"));
    versions.put("djl", built.getProperty("djl"));
    versions.put("libtorch", built.getProperty("libtorch"));
    versions.put("java", Runtime.version().toString());
    return versions;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "lightmill " + built.getProperty("lightmill"),
      "libtorch %s, DJL %s, Java %s"
          .formatted(
              built.getProperty("libtorch"), built.getProperty("djl"), Runtime.version().toString())
    };
  }
}
