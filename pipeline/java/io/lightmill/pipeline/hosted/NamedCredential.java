package io.lightmill.pipeline.hosted;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * A secret in an environment variable or in a file of each node, which only its owner may read.
 *
 * @param variable name of the environment variable; null for a file
 * @param file path of the file; null for a variable
 */
public record NamedCredential(CredentialHeader header, String variable, String file)
    implements HostedCredential {

  private static final int MOST_BYTES = 64 * 1024;

  private static final Set<PosixFilePermission> OTHERS =
      Set.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE);

  @Override
  public String secret() {
    return file == null ? ofVariable() : ofFile();
  }

  private String ofVariable() {
    String value = System.getenv(variable);
    if (value == null || value.isBlank()) {
      throw invalid(
          "the environment variable %s is not set here; set it for the driver and for executors (spark.executorEnv would show it in Spark's pages, so set it on the nodes), or name a file (--credential-file)"
              .formatted(variable));
    }
    return checked(value, "the environment variable " + variable);
  }

  private String ofFile() {
    Path path = Path.of(file);
    try {
      requireOwner(path);
      if (Files.size(path) > MOST_BYTES) {
        throw invalid(
            "the credential file %s has more than %d bytes; name a file with the secret alone"
                .formatted(file, MOST_BYTES));
      }
      return checked(
          new String(Files.readAllBytes(path), StandardCharsets.UTF_8),
          "the credential file " + file);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the credential file %s cannot be read here (%s); place it on the driver and on each node"
              .formatted(file, e),
          e);
    }
  }

  private void requireOwner(Path path) throws IOException {
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      return;
    }
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
    if (permissions.stream().anyMatch(OTHERS::contains)) {
      throw invalid(
          "the credential file %s can be read or written by others; run chmod 600 on it"
              .formatted(file));
    }
  }

  /**
   * The secret, which a header can carry.
   *
   * @param place for the message
   */
  public static String checked(String value, String place) {
    String secret = value.strip();
    if (secret.isEmpty() || !secret.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
      throw invalid(
          place + " has no usable secret; it must be one line of visible ASCII characters");
    }
    return secret;
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
