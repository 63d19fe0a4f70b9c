package io.lightmill.udfs.checkpoint;

import org.junit.jupiter.params.provider.ValueSource;
import org.junit.jupiter.params.ParameterizedTest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileFetchTest {

  private static final int CHUNK = 1000;

  /** Lengths of no chunk, part of a chunk, whole chunks, and many chunks and a part. */
  private static final Map<String, Integer> LENGTHS =
      Map.of("empty.json", 0, "config.json", 7, "vae/two.safetensors", 2000, "large.bin", 12_345);

  @TempDir Path temporary;
  private final Configuration configuration = new Configuration(false);
  private final ShortFileSystem fileSystem = new ShortFileSystem();
  private Path copy;

  @BeforeEach
  void files() throws IOException {
    copy = temporary.resolve("copy");
    fileSystem.initialize(URI.create("file:///"), configuration);
    Random random = new Random(1);
    for (Map.Entry<String, Integer> file : LENGTHS.entrySet()) {
      byte[] bytes = new byte[file.getValue()];
      random.nextBytes(bytes);
      Path path = temporary.resolve("remote").resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.write(path, bytes);
    }
    ShortFileSystem.READ.clear();
  }

  private void fetch() throws IOException {
    List<FileFetch.RemotePart> parts = new ArrayList<>();
    for (String name : LENGTHS.keySet()) {
      String path = temporary.resolve("remote").resolve(name).toString();
      parts.add(
          new FileFetch.RemotePart(
              name, fileSystem.getFileStatus(new org.apache.hadoop.fs.Path(path))));
    }
    new FileFetch(fileSystem, parts, CHUNK).into(copy);
  }

  private void assertComplete() throws IOException {
    for (String name : LENGTHS.keySet()) {
      assertThat(copy.resolve(name))
          .hasSameBinaryContentAs(temporary.resolve("remote").resolve(name));
    }
    assertThat(copy.resolve(FileFetch.LOG)).doesNotExist();
  }

  private static int read() {
    return ShortFileSystem.READ.stream().mapToInt(Integer::intValue).sum();
  }

  private static int all() {
    return LENGTHS.values().stream().mapToInt(Integer::intValue).sum();
  }

  @Test
  void filesOfAnyLengthAreCopiedCompletely() throws IOException {
    fetch();

    assertComplete();
    assertThat(read()).isEqualTo(all());
  }

  @Test
  void copiedChunksAreNotCopiedAgain() throws IOException {
    configuration.set(ShortFileSystem.SHORT, "large.bin"); // the last of its 13 chunks fails
    assertThatThrownBy(this::fetch)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("large.bin ended after 12344 of 12345 bytes");
    List<String> copied = Files.readAllLines(copy.resolve(FileFetch.LOG));
    assertThat(copied).isNotEmpty().doesNotContain("12000 large.bin");
    int before = copied.stream().mapToInt(FileFetchTest::length).sum();
    configuration.unset(ShortFileSystem.SHORT);
    ShortFileSystem.READ.clear();

    fetch();

    assertComplete();
    assertThat(read()).isEqualTo(all() - before);
  }

  @Test
  void aTruncatedLineOfTheLogIsIgnored() throws IOException {
    Files.createDirectories(copy);
    Files.writeString(copy.resolve(FileFetch.LOG), "0 config.json\n0 large.b");
    Files.write(
        copy.resolve("config.json"), Files.readAllBytes(temporary.resolve("remote/config.json")));

    fetch();

    assertComplete();
    assertThat(read()).isEqualTo(all() - 7);
  }

  /** The length of the chunk that a line of the log names. */
  private static int length(String line) {
    String[] parts = line.split(" ", 2);
    return Math.min(CHUNK, LENGTHS.get(parts[1]) - Integer.parseInt(parts[0]));
  }

  @ParameterizedTest
  @ValueSource(strings = {"../outside.json", "vae/../../outside.json", "/outside.json", "a//b", "."})
  void aNameThatLeadsOutOfTheDirectoryIsRefused(String name) throws IOException {
    String path = temporary.resolve("remote/config.json").toString();
    List<FileFetch.RemotePart> parts =
        List.of(
            new FileFetch.RemotePart(
                name, fileSystem.getFileStatus(new org.apache.hadoop.fs.Path(path))));

    assertThatThrownBy(() -> new FileFetch(fileSystem, parts, CHUNK).into(copy))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("config.json is not a file below the directory that is fetched");
    assertThat(copy).doesNotExist();
    assertThat(temporary.resolve("outside.json")).doesNotExist();
  }
}
