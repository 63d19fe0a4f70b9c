package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * A cache of checkpoints on the local disk. A checkpoint from elsewhere is fetched once, under a
 * lock, into a directory whose name identifies its content and which appears only when it is
 * complete. A fetch that failed or was killed is resumed.
 *
 * <p>The directory is {@code $LIGHTMILL_CACHE}, else {@code ~/.cache/lightmill}.
 */
public final class CheckpointCache {

  /** The checkpoint in the jar. */
  public static final String BUILTIN_POCKET = "builtin:pocket";

  /** Name of an adapter's config, which PEFT saves beside the adapter's file. */
  public static final String ADAPTER_CONFIG = "adapter_config.json";

  private final Path root;

  public CheckpointCache(Path root) {
    this.root = root;
  }

  /**
   * The cache of the current user.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the user has no home directory
   *     and {@code LIGHTMILL_CACHE} is not set
   */
  public static CheckpointCache ofUser() {
    return new CheckpointCache(ofUser(System.getenv(), System.getProperty("user.home")));
  }

  /** A user without a home directory, such as one of a container, has {@code ?} or {@code /}. */
  static Path ofUser(Map<String, String> environment, String home) {
    String cache = environment.getOrDefault("LIGHTMILL_CACHE", "");
    if (!cache.isBlank()) {
      return Path.of(cache);
    }
    Path root = Path.of(home == null ? "" : home);
    if (!root.isAbsolute() || !Files.isWritable(root)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the home directory '%s' cannot be written, so there is no place for the cache of checkpoints; set the environment variable LIGHTMILL_CACHE to a directory on a disk with enough space"
              .formatted(root));
    }
    return root.resolve(Path.of(".cache", "lightmill"));
  }

  /**
   * The local directory of a checkpoint.
   *
   * @param location {@code builtin:pocket}, a local directory, a model's directory in the Hugging
   *     Face Hub's cache, or the Hub's id of a model in that cache
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it does not exist
   */
  public Path localize(String location) {
    return location.startsWith("builtin:")
        ? fetch(BuiltinCheckpoint.of(location))
        : HubCache.resolved(
            HubModel.of(location).map(HubModel::cached).orElseGet(() -> path(location)));
  }

  /** Whether a location may be a model's id on the Hugging Face Hub, such as {@code org/name}. */
  public static boolean isHubId(String location) {
    return HubModel.isId(location);
  }

  /**
   * Checks what is known of a location without access to a remote file system: whether an id of the
   * Hugging Face Hub is in its cache.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} and the command that downloads it
   */
  public static void require(String location) {
    HubModel.of(location).ifPresent(HubModel::cached);
  }

  /** {@link Checkpoint#digest}, cached until a file of the checkpoint changes. */
  public String digest(Checkpoint checkpoint) {
    return new DigestCache(root.resolve("digests")).digest(checkpoint);
  }

  /**
   * The path of a local location, which may be a {@code file:} URI.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it is not a path
   */
  public static Path path(String location) {
    try {
      String path = location.replaceFirst("^file:(//[^/]*)?", "");
      if (location.startsWith("file:") && !path.startsWith("/")) {
        throw new InvalidPathException(location, "the path of a URI begins with /");
      }
      return Path.of(path);
    } catch (InvalidPathException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "'%s' is not a path (%s); name the directory of a checkpoint"
              .formatted(location, e.getMessage()),
          e);
    }
  }

  /**
   * The directory that holds the copy of a source, which is fetched first if it is missing.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it cannot be copied
   */
  public Path fetch(CheckpointSource source) {
    try {
      Path target = root.resolve(source.key());
      if (!Files.isDirectory(target)) { // it appears only when it is complete
        Files.createDirectories(target.getParent());
        fetchLocked(source, target);
      }
      return target;
    } catch (InsufficientSpaceException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s does not fit into the cache %s: %s; free space there, or set LIGHTMILL_CACHE to a directory on a larger disk"
              .formatted(source.location(), root, e.getMessage()),
          e);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s cannot be copied to the cache %s (%s); check that it is readable, and that the disk is writable and has free space"
              .formatted(source.location(), root, e),
          e);
    }
  }

  private static void fetchLocked(CheckpointSource source, Path target) throws IOException {
    synchronized (CheckpointCache.class) { // a file lock excludes other JVMs only
      try (FileChannel channel = lockFile(target)) {
        channel.lock();
        if (!Files.isDirectory(target)) {
          copyWhole(source, target);
        }
      }
    }
  }

  private static FileChannel lockFile(Path target) throws IOException {
    return FileChannel.open(
        target.resolveSibling(target.getFileName() + ".lock"),
        StandardOpenOption.CREATE,
        StandardOpenOption.WRITE);
  }

  private static void copyWhole(CheckpointSource source, Path target) throws IOException {
    Path partial = target.resolveSibling(target.getFileName() + ".partial");
    source.copyTo(partial);
    Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
  }
}
