package io.lightmill.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A whole command where table, checkpoint and output are on S3. */
@ParameterizedClass
@EnumSource
class WholeRunOnS3Test {

  private static final Path POCKET = Path.of("pipeline/resources/models/pocket");

  @Parameter S3Server.Software software;

  private S3Server s3;

  @BeforeEach
  void start() throws Exception {
    s3 = S3Server.start(software);
    for (Path file : files(POCKET)) {
      s3.put("models/pocket/" + POCKET.relativize(file), Files.readAllBytes(file));
    }
    s3.put(
        "prompts.csv",
        "id,prompt\n1,red mug on a white background\n2,blue vase on marble\n".getBytes(UTF_8));
    TestSpark.session().stop(); // the command's own session takes settings of its own
  }

  @AfterEach
  void stop() {
    s3.close();
  }

  @Test
  void everythingMayBeOnS3AndNothingIsDrawnTwice() throws Exception {
    RunningLightmill first = generate();

    assertThat(first.status()).as(first.err()).isEqualTo(ExitStatus.DONE);
    assertThat(first.out()).contains("2 generated");
    List<String> images = s3.keys("out/images/");
    assertThat(images).hasSize(2);
    for (String image : images) {
      assertThat(s3.contentType(image)).isEqualTo("image/png");
      assertThat(ImageReceiptReader.identity(s3.object(image))).isPresent();
    }
    assertThat(s3.contentType("out/contact-sheet.html")).startsWith("text/html");
    assertThat(s3.contentType("out/report.html")).startsWith("text/html");
    assertThat(s3.keys("out/")).noneMatch(key -> key.contains("run.lock"));

    RunningLightmill second = generate();

    assertThat(second.status()).as(second.err()).isEqualTo(ExitStatus.DONE);
    assertThat(second.out()).contains("2 reused");
    assertThat(s3.keys("out/images/")).isEqualTo(images);
  }

  private RunningLightmill generate() {
    List<String> arguments = new ArrayList<>();
    arguments.add("generate");
    arguments.add("--input=" + s3.uri("prompts.csv"));
    arguments.add("--output=" + s3.uri("out"));
    arguments.add("--checkpoint=" + s3.uri("models/pocket"));
    arguments.add("--num-inference-steps=1");
    s3.settings()
        .forEach((key, value) -> arguments.add("--conf=spark.hadoop." + key + "=" + value));
    return RunningLightmill.of(arguments.toArray(String[]::new));
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      return walk.filter(Files::isRegularFile).toList();
    }
  }
}
