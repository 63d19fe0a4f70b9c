package io.lightmill.udfs.store;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes that depend on whether an object exists. Each may be repeated: after a lost response, the
 * object of the first call counts as written.
 */
record ConditionalWrites(FileSystem fileSystem, ObjectWriter writer) {

  /** Two concurrent writers of one object need at most two attempts each. */
  private static final int MAX_ATTEMPTS = 8;

  /**
   * Writes an object if none exists.
   *
   * @return false if another object exists, which is kept
   */
  boolean create(Path path, byte[] bytes, String contentType) throws IOException {
    return writer.create(path, ObjectBody.of(bytes), contentType) || responseWasLost(path, bytes);
  }

  /**
   * Writes an object if none exists. An existing object of the same length counts as this one.
   *
   * @return its length
   */
  long create(Path path, CountedBody counted, String contentType) throws IOException {
    try {
      if (!writer.create(path, counted, contentType) && !hasLength(path, counted.bytes())) {
        throw new IOException("another object has this key");
      }
      return counted.bytes();
    } catch (IOException e) {
      if (counted.complete() && hasLength(path, counted.bytes())) { // only the response was lost
        return counted.bytes();
      }
      throw e;
    }
  }

  private boolean hasLength(Path path, long bytes) throws IOException {
    try {
      return fileSystem.getFileStatus(path).getLen() == bytes;
    } catch (FileNotFoundException e) {
      return false;
    }
  }

  /**
   * Writes an object unless an equivalent one exists, and replaces any other.
   *
   * @return the bytes of the object that exists now
   */
  byte[] createOrKeep(
      Path path, byte[] bytes, String contentType, Predicate<FoundObject> equivalent)
      throws IOException {
    ObjectBody body = ObjectBody.of(bytes);
    for (int attempts = 0; !writer.create(path, body, contentType); attempts++) {
      if (attempts == MAX_ATTEMPTS) {
        throw new IOException("other writers keep replacing it");
      }
      Optional<Existing> existing = existing(path);
      if (existing.isPresent()) {
        FoundObject found = existing.get().found();
        if (Arrays.equals(found.bytes(), bytes) || equivalent.test(found)) {
          return found.bytes();
        }
        if (writer.replace(existing.get().status(), body, contentType)) {
          break;
        }
      }
    }
    return bytes;
  }

  /** An object, and its status before its bytes were read. */
  private record Existing(FileStatus status, FoundObject found) {}

  private Optional<Existing> existing(Path path) throws IOException {
    try {
      FileStatus status = fileSystem.getFileStatus(path);
      try (FSDataInputStream in = fileSystem.open(path)) {
        return Optional.of(
            new Existing(
                status,
                new FoundObject(
                    in.readAllBytes(), Instant.ofEpochMilli(status.getModificationTime()))));
      }
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  /** The object with this name. */
  Optional<FoundObject> find(Path path) throws IOException {
    return existing(path).map(Existing::found);
  }

  private boolean responseWasLost(Path path, byte[] bytes) throws IOException {
    return existing(path).filter(it -> Arrays.equals(it.found().bytes(), bytes)).isPresent();
  }
}
