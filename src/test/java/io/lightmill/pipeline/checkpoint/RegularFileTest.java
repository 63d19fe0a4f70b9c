package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.families.Families;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files of checkpoints that are something else, or far too large. A test that hangs or ends for
 * lack of memory has found one that is read.
 */
class RegularFileTest {

  @TempDir Path temporary;
  private Path directory;

  @BeforeEach
  void copy() throws IOException {
    directory = ReferenceCheckpoint.copy("flux-schnell", temporary.resolve("checkpoint"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_index.json",
        "README.md",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "tokenizer_2/tokenizer.json",
        "tokenizer_2/tokenizer_config.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors.index.json"
      })
  void devicesPipesDirectoriesAndHugeFilesAreRefusedByName(String name)
      throws IOException, InterruptedException {
    Path file = directory.resolve(name);
    Files.deleteIfExists(file);
    Files.createSymbolicLink(file, Path.of("/dev/zero"));
    assertRefused(file, "is a pipe or a device; replace it by a regular file");
    Files.delete(file);
    assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();
    assertRefused(file, "is a pipe or a device");
    Files.delete(file);
    Files.createDirectory(file);
    assertRefused(file, "is a directory");
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("nowhere"));
    assertRefused(file, "link to nowhere");
    if (!name.endsWith(".safetensors")) { // weights are large; their headers are bounded
      Files.delete(file);
      try (RandomAccessFile huge = new RandomAccessFile(file.toFile(), "rw")) {
        huge.setLength(300_000_000);
      }
      assertRefused(file, "has 300000000 bytes, and a file of its kind may have");
    }
  }

  @Test
  void aPointerOfGitLfsIsRecognised() throws IOException {
    for (String name :
        new String[] {"vae/config.json", "vae/diffusion_pytorch_model.safetensors"}) {
      Path file = directory.resolve(name);
      byte[] before = Files.readAllBytes(file);
      Files.writeString(
          file, "version https://git-lfs.github.com/spec/v1\noid sha256:0a1b\nsize 335304388\n");
      assertRefused(file, "is a pointer of Git LFS instead of the file; fetch the file with 'git");
      Files.write(file, before);
    }
  }

  @Test
  void theHeaderOfAModelCardIsBounded() throws IOException {
    Path card = directory.resolve("README.md");
    Files.writeString(card, "---\ntext: " + "a\n\n  ".repeat(100_000) + "\n---\n");
    assertRefused(card, "characters, and 262144 are the most; fix or remove it");
  }

  @Test
  void aFileMayHaveAsManyBytesAsItsBound() throws IOException {
    Path file = Files.write(temporary.resolve("file"), new byte[10]);
    assertThat(RegularFile.read(file, 10, ErrorCode.INPUT_INVALID)).hasSize(10);
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> RegularFile.read(file, 9, ErrorCode.INPUT_INVALID))
        .withMessageStartingWith(file + " has 10 bytes, and a file of its kind may have 9 at most")
        .matches(e -> e.code() == ErrorCode.INPUT_INVALID);
  }

  private void assertRefused(Path file, String message) {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(
            () -> {
              Checkpoint checkpoint = Checkpoint.open(directory);
              Families.limits(checkpoint);
              Families.requireComplete(checkpoint);
            })
        .withMessageContaining(file.toString())
        .withMessageContaining(message);
  }
}
