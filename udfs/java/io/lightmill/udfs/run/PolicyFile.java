package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Redaction;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The prompt policy that the options of a run name. */
final class PolicyFile {

  private static final String NONE = "none";

  private PolicyFile() {}

  /**
   * Reads the policy.
   *
   * @return empty if the option is {@value #NONE}
   * @throws LightmillException with {@code POLICY_INVALID} if the file is missing, cannot be read
   *     or is no policy
   */
  static Optional<PromptPolicy> of(GenerationOptions options, Configuration hadoop) {
    String location = options.get(CheckOptions.POLICY);
    if (location.equals(NONE)) {
      return Optional.empty();
    }
    return Optional.of(
        location.equals(PromptPolicy.DEFAULT) ? PromptPolicy.standard() : read(location, hadoop));
  }

  private static PromptPolicy read(String location, Configuration hadoop) {
    String named = Redaction.location(location);
    try {
      Path path = new Path(location);
      FileSystem files = path.getFileSystem(hadoop);
      FileStatus file = files.getFileStatus(path);
      if (!file.isFile()) {
        throw invalid("policy %s is a directory; name a YAML file".formatted(named), null);
      }
      try (FSDataInputStream in = files.open(path)) { // one byte more, to see that it is too large
        return PromptPolicy.parse(named, in.readNBytes(PromptPolicy.MOST_BYTES + 1));
      }
    } catch (FileNotFoundException e) {
      throw invalid(
          "policy %s does not exist; name a YAML file, default, or none".formatted(named), e);
    } catch (IOException | IllegalArgumentException e) {
      throw invalid(
          "policy %s cannot be read (%s); check its location and permissions".formatted(named, e),
          e);
    }
  }

  private static LightmillException invalid(String message, Exception cause) {
    return new LightmillException(ErrorCode.POLICY_INVALID, message, cause);
  }
}
