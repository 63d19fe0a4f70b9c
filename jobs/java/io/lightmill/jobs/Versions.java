package io.lightmill.jobs;

import io.lightmill.udfs.report.BuildVersions;
import java.util.Map;
import picocli.CommandLine.IVersionProvider;

/** The output of {@code --version}. */
final class Versions implements IVersionProvider {

  @Override
  public String[] getVersion() {
    Map<String, String> built = BuildVersions.byName();
    return new String[] {
      "lightmill " + built.get("lightmill"),
      "libtorch %s, DJL %s, Java %s"
          .formatted(built.get("libtorch"), built.get("djl"), built.get("java"))
    };
  }
}
