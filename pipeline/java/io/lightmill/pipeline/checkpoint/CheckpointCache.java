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
import java.util.Optional;

/**
 * Checkpoints on the local disk. Those from elsewhere are brought here once: under a lock, into a
 * folder named for their content, which appears only when it is whole. A fetch that failed or was
 * killed is taken up where it was.
 *
 * <p>The folder is {@code $LIGHTMILL_CACHE}, else {@code ~/.cache/lightmill}.
 */
public final class CheckpointCache {

  /** The checkpoint that ships in the jar. */
  public static final String BUILTIN_POCKET = "builtin:pocket";

  /** What PEFT names the config of an adapter, which it saves beside the adapter's file. */
  public static final String ADAPTER_CONFIG = "adapter_config.json";

  private final Path root;

  public CheckpointCache(Path root) {
    this.root = root;
  }

  /** The cache of this machine's user. */
  public static CheckpointCache ofUser() {
    return new CheckpointCache(
        Optional.ofNullable(System.getenv("LIGHTMILL_CACHE"))
            .map(Path::of)
            .orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache", "lightmill")));
  }

  /**
   * The local directory of a checkpoint.
   *
   * @param location {@code builtin:pocket}, a local directory, or a folder of the Hugging Face
   *     Hub's cache
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if there is no such checkpoint
   */
  public Path localize(String location) {
    return location.startsWith("builtin:")
        ? fetch(BuiltinCheckpoint.of(location))
        : HubCache.resolved(path(location));
  }

  /** {@link Checkpoint#digest}, remembered for as long as no file of the checkpoint changes. */
  public String digest(Checkpoint checkpoint) {
    return new DigestMemory(root.resolve("digests")).digest(checkpoint);
  }

  /**
   * A local path as users write it, {@code file:} URIs included.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it is none
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
   * The directory that holds a copy of a source, copied there first if need be.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it cannot be copied
   */
  public Path fetch(CheckpointSource source) {
    try {
      Path target = root.resolve(source.key());
      if (!Files.isDirectory(target)) { // it appears whole
        Files.createDirectories(target.getParent());
        fetchLocked(source, target);
      }
      return target;
    } catch (NoRoomException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s does not fit into the cache %s: %s; make room there, or set LIGHTMILL_CACHE to a folder on a larger disk"
              .formatted(source.location(), root, e.getMessage()),
          e);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s cannot be copied to the cache %s (%s); check that it can be read, and that the disk has room and is writable"
              .formatted(source.location(), root, e),
          e);
    }
  }

  private static void fetchLocked(CheckpointSource source, Path target) throws IOException {
    synchronized (CheckpointCache.class) { // a file lock holds between JVMs only
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
