package io.lightmill.udfs.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.FaultyFileSystem.RowError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.permission.FsPermission;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageStoreTest {

  private static final String KEY = "images/ab/abcd.png";
  private static final byte[] OLD = "an older image with this key".getBytes(UTF_8);
  private static final byte[] NEW = "the image".getBytes(UTF_8);

  @TempDir Path directory;

  @Test
  void storesAnObjectAndReturnsIt() throws IOException {
    ImageStore store = local();
    StoredObject stored = store.put(KEY, NEW, "image/png");

    assertThat(stored.path()).isEqualTo("file:" + directory + "/out/" + KEY);
    assertThat(stored.bytes()).isEqualTo(NEW.length);
    assertThat(stored.sha256()) // printf 'the image' | sha256sum
        .isEqualTo("97e9d7a16021e6d07fbe28cce398f5847fc00c574991fbff65d95fd5e032d389");
    assertThat(files()).containsExactly("out/" + KEY); // no .crc, no temporary file
    assertThat(Files.readAllBytes(directory.resolve("out").resolve(KEY))).isEqualTo(NEW);
  }

  @Test
  void readsAnObjectOfKnownLength() throws IOException {
    local().put(KEY, NEW, "image/png");

    assertThat(local().read(KEY, NEW.length)).hasValue(NEW);
    assertThat(local().read("images/none.png", 5)).isEmpty();
  }

  @Test
  void readsBackWhatExists() {
    ImageStore store = local();
    assertThat(store.read(KEY)).isEmpty();

    store.put(KEY, NEW, "image/png");

    assertThat(store.read(KEY)).hasValueSatisfying(bytes -> assertThat(bytes).isEqualTo(NEW));
  }

  @ParameterizedTest
  @CsvSource({"022, rw-r--r--", "027, rw-r-----"})
  void localFilesHaveThePermissionsOfHadoopsMask(String mask, String permissions)
      throws IOException {
    Configuration configuration = new Configuration(false);
    configuration.set(FsPermission.UMASK_LABEL, mask);
    configuration.setBoolean(
        "fs.file.impl.disable.cache", true); // it would return one with another mask
    Path output = directory.resolve("out");

    ImageStore.open(output.toString(), configuration).put(KEY, NEW, "image/png");

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(output.resolve(KEY))))
        .isEqualTo(permissions);
  }

  @Test
  void replacesTheObjectOfTheSameKey() throws IOException {
    for (ImageStore store :
        List.of(
            local(),
            new ImageStore(new FaultyFileSystem(), root()),
            publishing(new PublishingFileSystem(true)))) {
      store.put(KEY, OLD, "image/png");
      store.put(KEY, NEW, "image/png");

      assertThat(store.read(KEY)).hasValueSatisfying(bytes -> assertThat(bytes).isEqualTo(NEW));
      assertThat(files()).containsExactly("out/" + KEY);
    }
  }

  @Test
  void anObjectWithTheNameOfADirectoryIsRefused() throws IOException {
    Path taken = Files.createDirectories(directory.resolve("out").resolve(KEY));
    for (ImageStore store : List.of(local(), new ImageStore(new FaultyFileSystem(), root()))) {
      for (Runnable write :
          List.<Runnable>of(
              () -> store.put(KEY, NEW, "image/png"),
              () -> store.create(KEY, NEW, "image/png"),
              () -> store.putOnce(KEY, NEW, "image/png", found -> true))) {
        assertThatThrownBy(write::run)
            .isInstanceOfSatisfying(
                LightmillException.class,
                e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED))
            .hasMessageContaining("Is a directory");
      }
    }
    assertThat(taken).isEmptyDirectory();
    assertThat(files()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = RowError.class,
      names = {"MIDWAY", "ON_CLOSE", "ON_RENAME"})
  void aFailureShowsNoPartialObjectAndLeavesNothing(RowError fault) throws IOException {
    FaultyFileSystem fileSystem = new FaultyFileSystem();
    ImageStore store = new ImageStore(fileSystem, root());
    fileSystem.failNext(fault);

    assertThatThrownBy(() -> store.put(KEY, NEW, "image/png"))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED))
        .hasMessageContaining(root() + "/" + KEY)
        .hasMessageContaining("injected " + fault);

    assertThat(fileSystem.visibleAtFailures())
        .isNotEmpty()
        .allMatch(name -> name.startsWith(".") && name.endsWith(".tmp"));
    assertThat(files()).isEmpty();

    fileSystem.failNext(RowError.NONE);
    store.put(KEY, NEW, "image/png");
    assertThat(files()).containsExactly("out/" + KEY);
  }

  @Test
  void aFailureKeepsTheExistingObject() throws IOException {
    FaultyFileSystem fileSystem = new FaultyFileSystem();
    ImageStore store = new ImageStore(fileSystem, root());
    store.put(KEY, OLD, "image/png");
    fileSystem.failNext(RowError.MIDWAY);

    assertThatThrownBy(() -> store.put(KEY, NEW, "image/png"))
        .isInstanceOf(LightmillException.class);

    assertThat(store.read(KEY)).hasValueSatisfying(bytes -> assertThat(bytes).isEqualTo(OLD));
    assertThat(files()).containsExactly("out/" + KEY);
  }

  @Test
  void aFailureToCleanUpIsSuppressed() throws IOException {
    FaultyFileSystem fileSystem = new FaultyFileSystem();
    ImageStore store = new ImageStore(fileSystem, root());
    fileSystem.failNext(RowError.ON_DELETE_TOO);

    assertThatThrownBy(() -> store.put(KEY, NEW, "image/png"))
        .cause()
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
  }

  @Test
  void objectStoresSeeOnePutAndNoRename() throws IOException {
    PublishingFileSystem fileSystem = new PublishingFileSystem(true);
    publishing(fileSystem).put(KEY, NEW, "image/png");

    assertThat(fileSystem.calls()).containsExactly("create abcd.png", "publish abcd.png");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void objectStoresNeverPublishAPartialObject(boolean abortable) throws IOException {
    PublishingFileSystem fileSystem = new PublishingFileSystem(abortable);
    ImageStore store = publishing(fileSystem);
    fileSystem.failWrites();

    assertThatThrownBy(() -> store.put(KEY, NEW, "image/png")).hasMessageContaining("injected");

    assertThat(fileSystem.calls()).contains("create abcd.png").doesNotContain("publish abcd.png");
    assertThat(fileSystem.calls().contains("abort abcd.png")).isEqualTo(abortable);
    assertThat(files()).isEmpty();
  }

  @Test
  void probingLeavesNothing() throws IOException {
    local().probeWritable(Clock.systemUTC());
    publishing(new PublishingFileSystem(true)).probeWritable(Clock.systemUTC());

    assertThat(files()).isEmpty();
  }

  @Test
  void probingLeavesNoNewDirectory() throws IOException {
    Path there = Files.createDirectories(directory.resolve("there"));

    for (String root : List.of("there", "there/new/deep", "new")) {
      ImageStore.open(directory.resolve(root).toString(), new Configuration(false))
          .probeWritable(Clock.systemUTC());
    }

    assertThat(directory.resolve("new")).doesNotExist();
    assertThat(there).isEmptyDirectory();
  }

  @Test
  void probingReportsAnUnwritableRoot() throws IOException {
    Files.writeString(directory.resolve("out"), "a file");

    assertThatThrownBy(() -> local().probeWritable(Clock.systemUTC()))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_UNWRITABLE))
        .hasMessageStartingWith("output file:" + directory + "/out cannot be written: ")
        .hasMessageContaining("name a directory that this user may write");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nosuch://bucket/out", "", "http://[broken"})
  void rootsOnUnknownFileSystemsAreRefused(String root) {
    assertThatThrownBy(() -> ImageStore.open(root, new Configuration(false)))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_UNWRITABLE))
        .hasMessageContaining("output " + root + " cannot be written: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x.png", "images/../../x.png", "/etc/x.png", "..", "s3a://b/x.png"})
  void keysOutsideTheRootAreRefused(String key) throws IOException {
    ImageStore store = local();

    assertThatThrownBy(() -> store.put(key, NEW, "image/png"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(files()).isEmpty();
  }

  private ImageStore local() {
    return ImageStore.open(directory + "/out", new Configuration(false));
  }

  private ImageStore publishing(PublishingFileSystem fileSystem) throws IOException {
    return new ImageStore(fileSystem, fileSystem.path(directory.resolve("out")));
  }

  private org.apache.hadoop.fs.Path root() {
    return new org.apache.hadoop.fs.Path("file:" + directory + "/out");
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString())
          .toList();
    }
  }
}
