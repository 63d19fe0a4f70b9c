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
 * Digests of checkpoints that were hashed before, on disk: hashing tens of gigabytes takes a
 * minute. One counts for as long as no file has another length, time, place or inode, as with git's
 * index.
 *
 * @param directory a file for each digest
 */
record DigestMemory(Path directory) {

  private static final Logger LOG = LoggerFactory.getLogger(DigestMemory.class);

  /** A file this young may change again without another time. */
  private static final Duration YOUNG = Duration.ofSeconds(2);

  String digest(Checkpoint checkpoint) {
    Optional<Path> memory = memory(checkpoint);
    Optional<String> known = memory.flatMap(DigestMemory::recalled);
    if (known.isPresent()) {
      return known.get();
    }
    String digest = checkpoint.digest();
    if (memory.isPresent() && memory.equals(memory(checkpoint))) { // nothing changed meanwhile
      remember(memory.get(), digest);
    }
    return digest;
  }

  /** Where the digest of these files is kept; empty if they are too young to tell a change. */
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
    } catch (IOException e) { // hashing will say so
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
