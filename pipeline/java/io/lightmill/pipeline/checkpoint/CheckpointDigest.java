package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;

/** The digest of a checkpoint: of the files that its networks read. */
final class CheckpointDigest {

  private static final int BUFFER_BYTES = 1 << 20;

  private CheckpointDigest() {}

  static String of(Checkpoint checkpoint) {
    return of(checkpoint.directory(), () -> files(checkpoint));
  }

  /** The digest of a directory with one network. */
  static String of(Path component) {
    return of(component, () -> sorted(component, read(component, Optional.empty())));
  }

  @FunctionalInterface
  private interface Listing {
    List<Path> files() throws IOException;
  }

  private static String of(Path root, Listing listing) {
    try {
      MessageDigest digest = DigestUtils.getSha256Digest();
      for (Path file : listing.files()) {
        digest.update("%s %d\n".formatted(name(root, file), Files.size(file)).getBytes(UTF_8));
        update(digest, file);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the checkpoint %s cannot be read (%s); check that its files are readable"
              .formatted(root, e),
          e);
    }
  }

  /** The files that the networks read, sorted by name. */
  static List<Path> files(Checkpoint checkpoint) throws IOException {
    Path root = checkpoint.directory();
    List<Path> files = new ArrayList<>(List.of(root.resolve("model_index.json")));
    for (String component : checkpoint.components()) {
      files.addAll(read(root.resolve(component), checkpoint.variant()));
    }
    return sorted(root, files);
  }

  private static List<Path> sorted(Path root, List<Path> files) {
    return files.stream().sorted(Comparator.comparing(file -> name(root, file))).toList();
  }

  /** The files that are read of a component; weights of other variants are not. */
  private static List<Path> read(Path component, Optional<String> variant) throws IOException {
    Set<Path> weights = WeightFiles.paths(component, variant);
    try (Stream<Path> files = Files.list(component)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> file.toString().matches(".*\\.(safetensors|json|txt|model)"))
          .filter(
              file ->
                  weights.contains(file)
                      || !file.toString().matches(".*\\.safetensors|.*\\.index\\..*"))
          .toList();
    }
  }

  private static String name(Path root, Path file) {
    return root.relativize(file).toString().replace('\\', '/');
  }

  private static void update(MessageDigest digest, Path file) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
  }
}
