package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubModelTest {

  private static final String ID = "some-org/Some.Model-1";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {"/models/flux", "flux", "a/b/c", "s3a://models/flux", "./flux", "a/", "src/test"})
  void otherLocationsAreNoIds(String location) {
    assertThat(HubModel.of(location, Map.of(), "/home/me")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "HF_HUB_CACHE, hub, hub",
        "HUGGINGFACE_HUB_CACHE, hub, hub",
        "HF_HOME, hf, hf/hub",
        "XDG_CACHE_HOME, cache, cache/huggingface/hub",
        "-, -, home/.cache/huggingface/hub",
      })
  void aDownloadedModelIsFoundInTheCacheOfTheHub(String variable, String value, String hub)
      throws IOException {
    Path model = directory.resolve(hub).resolve("models--some-org--Some.Model-1");
    Files.createDirectories(model.resolve("snapshots/main"));
    Map<String, String> environment =
        variable == null ? Map.of() : Map.of(variable, directory.resolve(value).toString());

    HubModel found =
        HubModel.of(ID, environment, directory.resolve("home").toString()).orElseThrow();

    assertThat(found.cached()).isEqualTo(model);
  }

  @Test
  void aModelThatIsNotDownloadedIsRefusedWithTheCommand() {
    HubModel model = HubModel.of(ID, Map.of(), directory.toString()).orElseThrow();

    assertThatThrownBy(model::cached)
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining(
            "download it first with 'hf download some-org/Some.Model-1 --local-dir"
                + " models/Some.Model-1' and name models/Some.Model-1");
  }

  @Test
  void withoutAHomeDirectoryTheCacheOfCheckpointsMustBeNamed() {
    assertThat(CheckpointCache.ofUser(Map.of("LIGHTMILL_CACHE", "/big"), "?"))
        .isEqualTo(Path.of("/big"));
    assertThat(CheckpointCache.ofUser(Map.of(), directory.toString()))
        .isEqualTo(directory.resolve(".cache/lightmill"));
    for (String home : new String[] {"?", directory.resolve("missing").toString(), ""}) {
      assertThatThrownBy(() -> CheckpointCache.ofUser(Map.of(), home))
          .isInstanceOf(LightmillException.class)
          .hasMessageContaining("set the environment variable LIGHTMILL_CACHE to a directory");
    }
  }
}
