package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checks.LabelRule;
import io.lightmill.pipeline.classify.ClassifierCases;
import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.regenerate.Regeneration;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.apache.commons.io.file.PathUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs with small classifiers; thresholds come from the scores of images drawn without them. */
class CheckedGenerationTest {

  private static final String VIT = ClassifierCases.directory("vit").toString();

  @TempDir Path directory;
  private Path table;

  @BeforeEach
  void table() throws IOException {
    table =
        Files.writeString(
            directory.resolve("prompts.csv"),
            """
            id,prompt,num_inference_steps,width,height,seed
            1,a red circle,1,64,64,11
            2,a blue square on a green background,1,64,64,12
            3,a yellow triangle,1,64,64,13
            """);
  }

  private GenerationOptions options(String output, String runId) {
    return GenerationOptions.EMPTY
        .with(Options.INPUT, table.toString())
        .with(Options.OUTPUT_DIRECTORY, directory.resolve(output).toString())
        .with(Options.RUN_ID, runId);
  }

  private static List<Row> rows(RunResult result) {
    return result.manifest().orderBy("id").collectAsList();
  }

  private RunResult run(GenerationOptions options) {
    return GenerationRun.execute(TestSpark.session(), Optional.empty(), options, RunListener.NONE);
  }

  private Path file(String output, Row row) {
    return directory.resolve(output).resolve(row.<String>getAs("path"));
  }

  private static RgbImage image(Path file) throws IOException {
    BufferedImage read = ImageIO.read(file.toFile());
    byte[] rgb = new byte[read.getWidth() * read.getHeight() * 3];
    for (int i = 0; i < rgb.length; i++) {
      int pixel = read.getRGB(i / 3 % read.getWidth(), i / 3 / read.getWidth());
      rgb[i] = (byte) (pixel >> (16 - 8 * (i % 3)));
    }
    return new RgbImage(read.getWidth(), read.getHeight(), rgb);
  }

  /** The scores of the images that a run has stored, in the order of its rows. */
  private List<Double> scores(String output, RunResult result) throws IOException {
    try (ImageClassifier classifier =
        ImageClassifier.load(new ModelDirectory(Path.of(VIT)), Device.CPU)) {
      List<Double> scores = new ArrayList<>();
      for (Row row : rows(result)) {
        scores.add(classifier.scores(image(file(output, row))).get("nsfw"));
      }
      return scores;
    }
  }

  @Test
  void imagesAreBlockedFlaggedAndDrawnAgain() throws IOException {
    List<Double> scores = scores("plain", run(options("plain", "one")));
    double highest = Collections.max(scores);
    int worst = scores.indexOf(highest);
    GenerationOptions classified =
        options("blocked", "one")
            .with(CheckOptions.IMAGE_CLASSIFIER, VIT)
            .with(CheckOptions.IMAGE_THRESHOLD, Map.of("nsfw", "%s".formatted(highest - 1e-9)))
            .with(CheckOptions.QUARANTINE, "quarantine");

    RunResult blocked = run(classified);

    assertThat(blocked.summary().labelled()).isEqualTo(Map.of("generated", 2L, "blocked", 1L));
    JsonNode check =
        new JsonMapper()
            .readTree(directory.resolve("blocked/runs/one.json").toFile())
            .at("/checks/0");
    assertThat(check.path("kind").asText()).isEqualTo("image");
    assertThat(check.path("location").asText()).isEqualTo(VIT);
    assertThat(check.path("digest").asText()).isEqualTo(new ModelDirectory(Path.of(VIT)).digest());
    Row row = rows(blocked).get(worst);
    assertThat(row.<String>getAs("error_code")).isEqualTo("IMAGE_BLOCKED");
    assertThat(row.<String>getAs("verdict_rule")).isEqualTo("nsfw");
    assertThat(row.<Double>getAs("verdict_score")).isEqualTo(highest, within(1e-9));
    assertThat(row.<String>getAs("path")).startsWith("quarantine/");
    assertThat(file("blocked", row)).exists();
    assertThat(rows(blocked))
        .extracting(each -> each.<Long>getAs("seed_used"))
        .containsExactly(11L, 12L, 13L);
    assertThat(rows(run(classified.with(Options.RUN_ID, "two"))))
        .extracting(each -> each.<String>getAs("status"))
        .containsOnly("reused", "blocked"); // nothing is drawn again under the same checks

    RunResult flagged =
        run(
            classified
                .with(Options.RUN_ID, "three")
                .with(CheckOptions.IMAGE_ACTION, LabelRule.Action.FLAG)
                .without(CheckOptions.QUARANTINE));

    assertThat(flagged.summary().labelled()).isEqualTo(Map.of("generated", 3L));
    assertThat(rows(flagged).get(worst).<String>getAs("verdict")).isEqualTo("flagged");
  }

  /** The images of a run that was killed before its manifest was written. */
  @Test
  void verdictsAndScoresOutliveARunWithoutAManifest() throws IOException {
    GenerationOptions flagged =
        options("flagged", "one")
            .with(CheckOptions.IMAGE_CLASSIFIER, VIT)
            .with(CheckOptions.IMAGE_THRESHOLD, Map.of("nsfw", "0:flag"));
    List<Row> drawn = rows(run(flagged));
    Path output = directory.resolve("flagged");
    for (String written : List.of("manifest", "runs", "current.parquet")) {
      PathUtils.delete(output.resolve(written));
    }

    List<Row> found = rows(run(flagged.with(Options.RUN_ID, "two")));

    assertThat(found).extracting(row -> row.<String>getAs("status")).containsOnly("reused");
    for (String column : List.of("verdict", "verdicts", "scores", "seed_used", "draws", "sha256")) {
      assertThat(found)
          .as(column)
          .extracting(row -> row.<Object>getAs(column))
          .isEqualTo(drawn.stream().map(row -> row.<Object>getAs(column)).toList())
          .doesNotContainNull();
    }
  }

  /** A row with the seed that was used draws the same image without checks. */
  @Test
  void theChosenSeedDrawsTheSameImage() throws IOException {
    RunResult best =
        run(
            options("best", "one")
                .with(CheckOptions.SCORER, ClassifierCases.directory("clip").toString())
                .with(CheckOptions.BEST_OF, 3));

    List<Row> rows = rows(best);
    List<String> lines =
        new ArrayList<>(List.of("id,prompt,num_inference_steps,width,height,seed"));
    for (Row row : rows) {
      assertThat(row.<Integer>getAs("draws")).isEqualTo(3);
      JsonNode scores = new JsonMapper().readTree(row.<String>getAs("scores"));
      JsonNode draws = scores.path("draws");
      double highest =
          draws.valueStream().mapToDouble(d -> d.path("score").asDouble()).max().orElseThrow();
      JsonNode chosen = draws.get(scores.path("chosen").asInt());
      assertThat(chosen.path("score").asDouble()).isEqualTo(highest);
      assertThat(chosen.path("seed").asLong()).isEqualTo(row.<Long>getAs("seed_used"));
      assertThat(new String(Files.readAllBytes(file("best", row)), StandardCharsets.ISO_8859_1))
          .contains("Seed: " + row.<Long>getAs("seed_used") + ",");
      lines.add(
          "%s,%s,1,64,64,%d"
              .formatted(
                  row.<String>getAs("id"),
                  row.<String>getAs("prompt"),
                  row.<Long>getAs("seed_used")));
    }
    assertThat(rows).anyMatch(row -> !row.<Long>getAs("seed_used").equals(row.<Long>getAs("seed")));
    try (Regeneration regeneration =
        new Regeneration(GenerationOptions.EMPTY, Optional.empty(), Optional.empty())) {
      for (Row row : rows) {
        assertThat(regeneration.draw("image", Files.readAllBytes(file("best", row))).sameFile())
            .isTrue();
      }
    }
    Files.write(table, lines);

    List<Row> again = rows(run(options("again", "one")));

    for (int i = 0; i < rows.size(); i++) {
      assertThat(image(file("again", again.get(i))).rgb())
          .isEqualTo(image(file("best", rows.get(i))).rgb());
    }
  }
}
