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
      "commit %s of %s".formatted(built.get("commit"), BuildVersions.committed()),
      "Java %s, Spark %s, libtorch %s, DJL %s"
          .formatted(built.get("java"), built.get("spark"), built.get("libtorch"), built.get("djl"))
    };
  }
}
