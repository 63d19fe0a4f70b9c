package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChosenLibtorchTest {

  @TempDir Path directory;

  private final Map<String, String> settings = new HashMap<>();

  private ChosenLibtorch chosen() {
    return ChosenLibtorch.of(settings::get);
  }

  private Path libtorch(String name) throws IOException {
    Path lib = Files.createDirectories(directory.resolve(name + "/lib"));
    Files.createFile(lib.resolve(System.mapLibraryName("torch")));
    return lib;
  }

  @Test
  void theClassPathNeedsNoSettings() {
    chosen().requireFitting();
    settings.put("PYTORCH_VERSION", "2.7.1");
    chosen().requireFitting();
    settings.put("PYTORCH_VERSION", "2.11.0");
    assertThatThrownBy(() -> chosen().requireFitting())
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining(
            "PYTORCH_VERSION is 2.11.0, but DJL's JNI library works with libtorch 2.7.1");
  }

  @Test
  void anArchiveOfAnotherVersionIsRefusedBeforeItIsLoaded() throws IOException {
    Path lib = libtorch("libtorch");
    settings.put("PYTORCH_LIBRARY_PATH", lib.toString());
    chosen().requireFitting(); // it does not say which version it is
    Files.writeString(directory.resolve("libtorch/build-version"), "2.7.1+cu128\n");
    chosen().requireFitting();
    Files.writeString(directory.resolve("libtorch/build-version"), "2.9.0+cu128\n");
    assertThatThrownBy(() -> chosen().requireFitting())
        .hasMessageContaining("PYTORCH_LIBRARY_PATH has libtorch 2.9.0");
  }

  @Test
  void aJniLibraryOfItsOwnFitsItsLibtorch() throws IOException {
    Path lib = libtorch("libtorch");
    Files.writeString(directory.resolve("libtorch/build-version"), "2.11.0+cu130");
    Files.createFile(lib.resolve(System.mapLibraryName("djl_torch")));
    settings.put("PYTORCH_LIBRARY_PATH", directory + File.pathSeparator + lib);
    assertThatThrownBy(() -> chosen().requireFitting())
        .hasMessageContaining("PYTORCH_VERSION is not set");
    settings.put("PYTORCH_VERSION", "2.11.0");
    chosen().requireFitting();
    assertThat(chosen().directory()).contains(lib);
  }

  @Test
  void aPathMayNameTheLibraryItself() throws IOException {
    Path lib = libtorch("libtorch");
    settings.put("PYTORCH_LIBRARY_PATH", lib.resolve(System.mapLibraryName("torch")).toString());
    assertThat(chosen()).isEqualTo(new ChosenLibtorch(Optional.of(lib), Optional.empty()));
  }
}
