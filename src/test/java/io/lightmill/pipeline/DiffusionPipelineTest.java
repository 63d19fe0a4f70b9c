package io.lightmill.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ai.djl.engine.Engine;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.pytorch.engine.PtEngine;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import java.io.File;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.codec.binary.Hex;
import org.apache.commons.io.file.PathUtils;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.math3.distribution.BetaDistribution;
import org.apache.commons.text.StringEscapeUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.yaml.snakeyaml.Yaml;

/** The contract by itself: loading without Spark and Hadoop. */
class DiffusionPipelineTest {

  /** One class of each library that the pipeline needs. */
  private static final List<Class<?>> LIBRARIES =
      List.of(
          Engine.class,
          PtEngine.class,
          HuggingFaceTokenizer.class,
          ObjectMapper.class,
          JsonFactory.class,
          JsonProperty.class,
          YAMLMapper.class,
          Yaml.class,
          Logger.class,
          Hex.class,
          PathUtils.class,
          StringUtils.class,
          StringEscapeUtils.class,
          BetaDistribution.class);

  /** A file of each jar with natives. */
  private static final List<String> NATIVES =
      List.of("jnilib/pytorch.properties", "native/lib/pytorch.properties");

  @TempDir Path temporary;

  @Test
  void aJvmWithoutSparkAndHadoopDrawsTheSameImage() throws Exception {
    Path checkpoint = ReferenceCheckpoint.of("flux-dev").toAbsolutePath();
    Path out = temporary.resolve("out");
    Path errors = temporary.resolve("errors");
    String classPath = classPath();
    assertThat(classPath).doesNotContain("spark").doesNotContain("hadoop");
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                classPath,
                StandaloneDrawing.class.getName(),
                checkpoint.toString())
            .redirectOutput(out.toFile())
            .redirectError(errors.toFile())
            .start();
    try {
      assertThat(jvm.waitFor(2, TimeUnit.MINUTES)).isTrue();
      assertThat(jvm.exitValue()).as(Files.readString(errors, UTF_8)).isZero();
    } finally {
      jvm.destroyForcibly();
    }
    assertThat(Files.readString(out, UTF_8).strip()).isEqualTo(StandaloneDrawing.drawn(checkpoint));
  }

  @Test
  void aRequestHasTheDefaultsOfTheCheckpoint() {
    Path checkpoint = ReferenceCheckpoint.of("sd3");
    PipelineLimits.Defaults defaults = Families.limits(Checkpoint.open(checkpoint)).defaults();
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(checkpoint)) {
      assertThat(pipeline.limits().defaults()).isEqualTo(defaults);
      assertThat(pipeline.request("a red mug").width(64).seed(7).build())
          .isEqualTo(
              new ImageRequest(
                  "a red mug",
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty(),
                  64,
                  defaults.height(),
                  defaults.numInferenceSteps(),
                  defaults.guidanceScale(),
                  defaults.trueCfgScale(),
                  defaults.maxSequenceLength(),
                  7,
                  LoraBlend.NONE,
                  SamplingEfficiency.NONE));
    }
    assertThat(defaults.maxSequenceLength()).as("not FLUX's 512").isLessThan(512);
  }

  @Test
  void aDirectoryWithoutCheckpointIsRefused() {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> DiffusionPipeline.load(temporary, Device.CPU))
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }

  private static String classPath() throws IOException, URISyntaxException {
    Path resources =
        Path.of(DiffusionPipeline.class.getResource("/torchscript/flow.py").toURI())
            .getParent()
            .getParent();
    List<String> natives = NATIVES.stream().map(DiffusionPipelineTest::jar).toList();
    return Stream.of(
            Stream.of(
                location(DiffusionPipeline.class),
                location(StandaloneDrawing.class),
                resources.toString()),
            LIBRARIES.stream().map(DiffusionPipelineTest::location),
            natives.stream())
        .flatMap(entries -> entries)
        .distinct()
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static String location(Class<?> type) {
    return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()))
        .toString();
  }

  private static String jar(String resource) {
    try {
      URL url = DiffusionPipelineTest.class.getClassLoader().getResource(resource);
      JarURLConnection connection = (JarURLConnection) url.openConnection();
      return Path.of(connection.getJarFileURL().toURI()).toString();
    } catch (IOException | URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
