package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cache, on disk, of the digests of checkpoints, since hashing tens of gigabytes takes a minute.
 * An entry is valid while length, modification time, path and inode of all files stay the same, as
 * in git's index.
 *
 * @param directory that holds one file per digest
 */
record DigestCache(Path directory) {

  private static final Logger LOG = LoggerFactory.getLogger(DigestCache.class);

  /** A file that is younger than this may change again without a new modification time. */
  private static final Duration YOUNG = Duration.ofSeconds(2);

  String digest(Checkpoint checkpoint) {
    Optional<Path> entry = entry(checkpoint);
    Optional<String> cached = entry.flatMap(DigestCache::read);
    if (cached.isPresent()) {
      return cached.get();
    }
    String digest = checkpoint.digest();
    if (entry.isPresent() && entry.equals(entry(checkpoint))) { // no file changed meanwhile
      write(entry.get(), digest);
    }
    return digest;
  }

  /** The entry for these files; empty if they are too young to detect a change. */
  private Optional<Path> entry(Checkpoint checkpoint) {
    try {
      StringBuilder listing = new StringBuilder();
      Instant settled = Instant.now().minus(YOUNG);
      for (Path file : CheckpointDigest.files(checkpoint)) {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (attributes.lastModifiedTime().toInstant().isAfter(settled)) {
          return Optional.empty();
        }
        listing.append(
            "%s %d %s %s%n"
                .formatted(
                    file.toRealPath(),
                    attributes.size(),
                    attributes.lastModifiedTime(),
                    attributes.fileKey()));
      }
      return Optional.of(directory.resolve(DigestUtils.sha256Hex(listing.toString())));
    } catch (IOException e) { // hashing reports it
      LOG.debug("{} cannot be listed", checkpoint.directory(), e);
      return Optional.empty();
    }
  }

  private static Optional<String> read(Path entry) {
    try {
      return Files.exists(entry)
          ? Optional.of(Files.readString(entry, UTF_8)).filter(it -> it.matches("[0-9a-f]{64}"))
          : Optional.empty();
    } catch (IOException e) {
      LOG.debug("{} cannot be read", entry, e);
      return Optional.empty();
    }
  }

  private static void write(Path entry, String digest) {
    try {
      Files.createDirectories(entry.getParent());
      Path partial = Files.createTempFile(entry.getParent(), "digest", ".partial");
      Files.writeString(partial, digest, UTF_8);
      Files.move(partial, entry, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) { // the next run hashes again
      LOG.debug("{} cannot be written", entry, e);
    }
  }
}
