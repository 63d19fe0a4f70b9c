package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DigestCacheTest {

  private static final String WRONG = "f".repeat(64);

  @TempDir Path temporary;
  private Path copy;
  private Path directory;
  private DigestCache cache;

  @BeforeEach
  void checkpoint() throws IOException {
    copy = ReferenceCheckpoint.copy("flux-schnell", temporary.resolve("copy"));
    directory = temporary.resolve("digests");
    cache = new DigestCache(directory);
    for (Path file : CheckpointDigest.files(Checkpoint.open(copy))) {
      Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
    }
  }

  private String digest() {
    return cache.digest(Checkpoint.open(copy));
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  /** Replaces the cached digest by a wrong one, so that tests see whether it is used. */
  private void cacheWrongDigest() throws IOException {
    digest();
    assertThat(cached()).hasSize(1);
    Files.writeString(cached().get(0), WRONG);
    assertThat(digest()).isEqualTo(WRONG);
  }

  @Test
  void unchangedFilesAreNotHashedAgain() throws IOException {
    String computed = digest();

    assertThat(computed).isEqualTo(Checkpoint.open(copy).digest());
    cacheWrongDigest();
  }

  @Test
  void changedFilesAreHashedAgain() throws IOException {
    cacheWrongDigest();
    Path weights = copy.resolve("vae/diffusion_pytorch_model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    Files.setLastModifiedTime(weights, FileTime.fromMillis(2_000_000));

    assertThat(digest()).isEqualTo(Checkpoint.open(copy).digest()).isNotEqualTo(WRONG);
  }

  @Test
  void digestsOfVeryNewFilesAreNotCached() throws IOException {
    Path config = copy.resolve("vae/config.json");
    Files.setLastModifiedTime(config, FileTime.from(Instant.now().plusSeconds(600)));

    assertThat(digest()).isEqualTo(Checkpoint.open(copy).digest());
    assertThat(directory).doesNotExist();
  }

  @Test
  void anUnwritableCacheIsIgnored() throws IOException {
    Files.createFile(directory);

    assertThat(digest()).isEqualTo(Checkpoint.open(copy).digest());
  }
}
