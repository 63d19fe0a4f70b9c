package io.lightmill.udfs.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.BuiltinCheckpoint;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.io.file.PathUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.viewfs.ViewFileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointFetchTest {

  private static final Path POCKET = Path.of("pipeline/resources/models/pocket");

  private static final String REMOTE = "viewfs://bucket/models/";

  @TempDir Path temporary;
  private Path root;
  private CheckpointCache cache;
  private final Configuration hadoop = new Configuration(false);

  @BeforeEach
  void empty() {
    root = temporary.resolve("cache");
    cache = new CheckpointCache(root);
    // viewfs://bucket/models is the temporary directory
    hadoop.set("fs.viewfs.impl", ViewFileSystem.class.getName());
    hadoop.setBoolean("fs.viewfs.impl.disable.cache", true);
    hadoop.set("fs.viewfs.mounttable.bucket.link./models", temporary.toUri().toString());
    hadoop.set("fs.file.impl", ShortFileSystem.class.getName());
    hadoop.setBoolean("fs.file.impl.disable.cache", true);
  }

  /** One of several JVMs that fetch the checkpoint concurrently. */
  static final class OtherJvm {
    public static void main(String[] arguments) {
      new CheckpointFetch(new CheckpointCache(Path.of(arguments[0])), null)
          .localize(CheckpointCache.BUILTIN_POCKET);
    }
  }

  @Test
  void aClassifierIsFetchedByItsConfig() throws IOException {
    Path bert = Path.of("src/test/resources/reference/classifiers/bert");
    PathUtils.copyDirectory(bert, temporary.resolve("bert"));

    Path local = new CheckpointFetch(cache, hadoop).localizeModel(REMOTE + "bert");

    assertThat(local).startsWith(root);
    assertThat(new ModelDirectory(local).digest()).isEqualTo(new ModelDirectory(bert).digest());
    Files.delete(temporary.resolve("bert/config.json"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> new CheckpointFetch(cache, hadoop).localizeModel(REMOTE + "bert"))
        .withMessageContaining("has no config.json, but a classifier is a directory");
  }

  @Test
  void theBuiltinCheckpointIsCopiedCompletelyAndOnce() throws IOException {
    Path local = new CheckpointFetch(cache, hadoop).localize("builtin:pocket");
    assertThat(local).startsWith(root.resolve("builtin"));
    assertThat(PathUtils.directoryAndFileContentEquals(local, POCKET)).isTrue();
    Path marker = Files.createFile(local.resolve("marker"));
    assertThat(new CheckpointFetch(cache, hadoop).localize("builtin:pocket")).isEqualTo(local);
    assertThat(marker).exists();
    assertThat(Checkpoint.open(local).pipelineClass()).isEqualTo("FluxPipeline");
  }

  @Test
  void theBuiltinCheckpointIsCopiedFromAJar() throws IOException {
    Path jar = temporary.resolve("a jar+with 100%.jar");
    try (OutputStream file = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      for (Path each : files(POCKET)) {
        zip.putNextEntry(new ZipEntry("models/pocket/" + POCKET.relativize(each)));
        Files.copy(each, zip);
        zip.closeEntry();
      }
    }
    URI index = URI.create("jar:%s!/models/pocket/model_index.json".formatted(jar.toUri()));
    BuiltinCheckpoint inJar = new BuiltinCheckpoint("builtin:pocket", "pocket", index);
    assertThat(inJar.key()).isEqualTo(BuiltinCheckpoint.of("builtin:pocket").key());
    Path copy = temporary.resolve("copy");
    inJar.copyTo(copy);
    assertThat(PathUtils.directoryAndFileContentEquals(copy, POCKET)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"builtin:palace", "builtin:", "builtin:../models/pocket"})
  void anUnknownBuiltinIsNamed(String location) {
    refused(
        location,
        "the checkpoint '%s' does not exist; the built-in one is builtin:pocket"
            .formatted(location));
  }

  @Test
  void localDirectoriesAreNotCopied() {
    assertThat(new CheckpointFetch(cache, hadoop).localize("src/test"))
        .isEqualTo(Path.of("src/test"));
    assertThat(new CheckpointFetch(cache, hadoop).localize("file:///some/a b"))
        .isEqualTo(Path.of("/some/a b"));
    assertThat(new CheckpointFetch(cache, hadoop).localize("file:/some/where"))
        .isEqualTo(Path.of("/some/where"));
    assertThat(root).doesNotExist();
    refused("file:some", "'file:some' is not a path");
    refused("a\0b", "is not a path");
  }

  @Test
  void concurrentThreadsGetTheSameCopy() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try {
      Callable<Path> bringing =
          () ->
              new CheckpointFetch(new CheckpointCache(root), new Configuration(false))
                  .localize("builtin:pocket");
      List<Path> local = new ArrayList<>();
      for (Future<Path> each : threads.invokeAll(Collections.nCopies(6, bringing))) {
        local.add(each.get());
      }
      assertThat(local).containsOnly(local.get(0));
      assertThat(PathUtils.directoryAndFileContentEquals(local.get(0), POCKET)).isTrue();
      assertOneCheckpointAndItsLock(root.resolve("builtin"));
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void concurrentJvmsGetTheSameCopy() throws Exception {
    List<Process> jvms = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      jvms.add(
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty(
                      "surefire.test.class.path", System.getProperty("java.class.path")),
                  OtherJvm.class.getName(),
                  root.toString())
              .redirectErrorStream(true)
              .redirectOutput(new File(temporary.toFile(), "jvm" + i))
              .start());
    }
    for (int i = 0; i < jvms.size(); i++) {
      int status = jvms.get(i).waitFor();
      assertThat(status).as(Files.readString(temporary.resolve("jvm" + i))).isZero();
    }
    assertOneCheckpointAndItsLock(root.resolve("builtin"));
    assertThat(
            PathUtils.directoryAndFileContentEquals(
                new CheckpointFetch(cache, hadoop).localize("builtin:pocket"), POCKET))
        .isTrue();
  }

  @Test
  void anInterruptedCopyIsRepeated() throws IOException {
    String key = BuiltinCheckpoint.of("builtin:pocket").key();
    Path partial = Files.createDirectories(root.resolve(key + ".partial/vae"));
    Files.writeString(partial.resolve("config.json"), "{");
    Files.writeString(partial.resolve("left.over"), "");
    Path local = new CheckpointFetch(cache, hadoop).localize("builtin:pocket");
    assertThat(PathUtils.directoryAndFileContentEquals(local, POCKET)).isTrue();
    assertThat(root.resolve(key + ".partial")).doesNotExist();
  }

  @Test
  void aRemoteCheckpointIsFetchedWithoutItsSamples() throws IOException {
    Path bucket = bucket();
    Files.createDirectories(bucket.resolve("samples"));
    Files.writeString(bucket.resolve("samples/one.png"), "image");
    Files.writeString(bucket.resolve("vae/model.bin"), "pickle");
    Path fetched = new CheckpointFetch(cache, hadoop).localize(REMOTE + "bucket/");
    assertThat(fetched).startsWith(root.resolve("fetched"));
    assertThat(PathUtils.directoryAndFileContentEquals(fetched, ReferenceCheckpoint.of("flux-dev")))
        .isTrue();
  }

  @Test
  void aRemoteCheckpointIsFetchedAgainWhenItChanges() throws IOException {
    Path bucket = bucket();
    String location = REMOTE + "bucket";
    Path first = new CheckpointFetch(cache, hadoop).localize(location);
    Path marker = Files.createFile(first.resolve("marker"));
    assertThat(new CheckpointFetch(cache, hadoop).localize(location)).isEqualTo(first);
    assertThat(marker).exists();
    Path config = bucket.resolve("vae/config.json");
    Files.setLastModifiedTime(config, FileTime.fromMillis(1_000_000));
    Path second = new CheckpointFetch(cache, hadoop).localize(location);
    assertThat(second).isNotEqualTo(first);
    assertThat(second.resolve("marker")).doesNotExist();
  }

  @Test
  void aFailedFetchLeavesNoCheckpointAndIsResumed() throws IOException {
    bucket();
    String location = REMOTE + "bucket";
    hadoop.set(ShortFileSystem.SHORT, "vae/diffusion_pytorch_model.safetensors");
    refused(location, location + " cannot be copied to the cache " + root);
    refused(location, "diffusion_pytorch_model.safetensors ended after");
    try (Stream<Path> left = Files.list(root.resolve("fetched"))) {
      assertThat(left).allMatch(path -> path.toString().matches(".*\\.(partial|lock)"));
    }
    hadoop.unset(ShortFileSystem.SHORT);
    Path fetched = new CheckpointFetch(cache, hadoop).localize(location);
    assertThat(PathUtils.directoryAndFileContentEquals(fetched, ReferenceCheckpoint.of("flux-dev")))
        .isTrue();
  }

  @Test
  void aCheckpointThatIsLargerThanTheDiskIsRefusedBeforeTheFetch() throws IOException {
    bucket();
    String location = REMOTE + "bucket";
    hadoop.set(ShortFileSystem.HUGE, "transformer/diffusion_pytorch_model.safetensors");
    refused(location, location + " does not fit into the cache " + root);
    refused(location, "1073741824.");
    refused(location, "set LIGHTMILL_CACHE to a directory on a larger disk");
    assertThat(files(root.resolve("fetched"))).allMatch(path -> path.toString().endsWith(".lock"));
  }

  @Test
  void anInvalidRemoteCheckpointIsNamed() throws IOException {
    bucket();
    refused(
        REMOTE + "bucket/vae",
        "has no model_index.json, but a checkpoint is a directory in diffusers' layout");
    Path pickle = Files.createFile(temporary.resolve("model.pt"));
    refused(REMOTE + pickle.getFileName(), "can run code when they are loaded");
    refused(REMOTE + "nowhere", "cannot be read");
    refused("gopher://hole/model", "the checkpoint gopher://hole/model cannot be read");
    refused(REMOTE + "a:b/%zz", "cannot be read");
    assertThat(root.resolve("fetched")).doesNotExist();
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws IOException {
    Files.createFile(root);
    refused("builtin:pocket", "cannot be copied to the cache " + root);
  }

  private Path bucket() throws IOException {
    return ReferenceCheckpoint.copy("flux-dev", temporary.resolve("bucket"));
  }

  private void refused(String location, String message) {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> new CheckpointFetch(cache, hadoop).localize(location))
        .withMessageContaining(message)
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }

  private static void assertOneCheckpointAndItsLock(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      List<String> names = all.map(path -> path.getFileName().toString()).sorted().toList();
      assertThat(names).hasSize(2);
      assertThat(names.get(1)).isEqualTo(names.get(0) + ".lock");
    }
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void anAdapterIsFetchedWithItsConfig() throws IOException {
    Path adapter = Files.writeString(temporary.resolve("adapter_model.safetensors"), "weights");
    Path plain =
        new CheckpointFetch(cache, hadoop).localizeFile(REMOTE + "adapter_model.safetensors");
    assertThat(plain).hasContent("weights");
    assertThat(plain.resolveSibling(CheckpointCache.ADAPTER_CONFIG)).doesNotExist();
    Files.writeString(adapter.resolveSibling(CheckpointCache.ADAPTER_CONFIG), "{\"r\": 4}");
    Path configured =
        new CheckpointFetch(cache, hadoop).localizeFile(REMOTE + "adapter_model.safetensors");
    assertThat(configured).hasContent("weights");
    assertThat(configured.resolveSibling(CheckpointCache.ADAPTER_CONFIG)).hasContent("{\"r\": 4}");
  }
}
