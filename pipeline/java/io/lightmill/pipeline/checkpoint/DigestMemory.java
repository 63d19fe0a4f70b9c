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
record DigestMemory(Path directory) {

  private static final Logger LOG = LoggerFactory.getLogger(DigestMemory.class);

  /** A file that is younger than this may change again without a new modification time. */
  private static final Duration YOUNG = Duration.ofSeconds(2);

  String digest(Checkpoint checkpoint) {
    Optional<Path> memory = memory(checkpoint);
    Optional<String> known = memory.flatMap(DigestMemory::recalled);
    if (known.isPresent()) {
      return known.get();
    }
    String digest = checkpoint.digest();
    if (memory.isPresent() && memory.equals(memory(checkpoint))) { // no file changed meanwhile
      remember(memory.get(), digest);
    }
    return digest;
  }

  /** The entry for these files; empty if they are too young to detect a change. */
  private Optional<Path> memory(Checkpoint checkpoint) {
    try {
      StringBuilder listing = new StringBuilder();
      Instant settled = Instant.now().minus(YOUNG);
      for (Path file : CheckpointDigest.files(checkpoint)) {
        BasicFileAttributes facts = Files.readAttributes(file, BasicFileAttributes.class);
        if (facts.lastModifiedTime().toInstant().isAfter(settled)) {
          return Optional.empty();
        }
        listing.append(
            "%s %d %s %s%n"
                .formatted(
                    file.toRealPath(), facts.size(), facts.lastModifiedTime(), facts.fileKey()));
      }
      return Optional.of(directory.resolve(DigestUtils.sha256Hex(listing.toString())));
    } catch (IOException e) { // hashing reports it
      LOG.debug("{} cannot be listed", checkpoint.directory(), e);
      return Optional.empty();
    }
  }

  private static Optional<String> recalled(Path memory) {
    try {
      return Files.exists(memory)
          ? Optional.of(Files.readString(memory, UTF_8)).filter(it -> it.matches("[0-9a-f]{64}"))
          : Optional.empty();
    } catch (IOException e) {
      LOG.debug("{} cannot be read", memory, e);
      return Optional.empty();
    }
  }

  private static void remember(Path memory, String digest) {
    try {
      Files.createDirectories(memory.getParent());
      Path partial = Files.createTempFile(memory.getParent(), "digest", ".partial");
      Files.writeString(partial, digest, UTF_8);
      Files.move(partial, memory, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) { // the next run hashes again
      LOG.debug("{} cannot be written", memory, e);
    }
  }
}
