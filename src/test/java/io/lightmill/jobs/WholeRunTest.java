package io.lightmill.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.checkpoint.CheckpointCopy;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.udfs.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.io.file.PathUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole commands, Spark and engine included, with the checkpoint that ships. */
class WholeRunTest {

  private static final Path POCKET = Path.of("pipeline/resources/models/pocket");

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "p.csv |                                 | --input=gone.csv | 'gone.csv' does not exist",
        "p.tsv | id~prompt                       |                  | p.tsv' does not end in .csv",
        "p.csv | ``                              |                  | p.csv' is empty: it has no"
            + " columns",
        "p.csv | id,prompt                       |                  | p.csv' has no rows",
        "p.csv | id,caption;1,a mug              |                  | --column prompt=caption",
        "p.csv | id,prompt;1,a;1,b               |                  | '1' (2 rows)",
        "p.csv | id,prompt,status;1,a,b          |                  | rename it in the table",
        "p.csv | id,prompt;1,\"a;2,b;3,\"c\" d      |                  | do not pair up at line 4",
        "p.csv | id,prompt;1,a                   | --prompt-template={name} | names the column"
            + " 'name'",
        "p.csv | id,prompt;1,a                   | --path-template={sku} | names {sku}, which no"
            + " row has",
        "p.csv | id,prompt;1,a                   | --width=100      | the nearest is 96",
        "p.csv | id,prompt;1,a                   | --checkpoint=builtin:huge | the checkpoint"
            + " 'builtin:huge' does not exist",
        "p.csv | id,prompt;1,a                   | --master=nowhere | master 'nowhere'",
        "p.csv | id,prompt;1,a                   | --device=cuda    | the option device is cuda",
      })
  void whatCannotBeDrawnIsRefusedInOneSentence(
      String name, String lines, String option, String sentence) throws IOException {
    Path table = directory.resolve(name);
    if (lines != null) {
      Files.writeString(table, lines.replace(';', '\n') + (lines.isEmpty() ? "" : "\n"));
    }

    RunningLightmill run = generate(table, option == null ? List.of() : List.of(option));

    assertRefused(run, sentence);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model_index.json | | model_index.json",
        "vae/diffusion_pytorch_model.safetensors | | has no safetensors weights",
        "vae/diffusion_pytorch_model.safetensors | PK\u0003\u0004 and more | can run code",
        "transformer/diffusion_pytorch_model.safetensors | cut off | transformer",
      })
  void aCheckpointThatIsNotWholeIsRefusedBeforeTheTableIsPlanned(
      String file, String content, String sentence) throws IOException {
    Path checkpoint = directory.resolve("checkpoint");
    PathUtils.copyDirectory(POCKET, checkpoint);
    if (content == null) {
      Files.delete(checkpoint.resolve(file));
    } else {
      Files.writeString(checkpoint.resolve(file), content);
    }

    RunningLightmill run =
        generate(table("id,prompt", "1,a mug"), List.of("--checkpoint=" + checkpoint));

    assertRefused(run, sentence);
  }

  @Test
  void anOutputThatCannotBeWrittenIsRefused() throws IOException {
    Path inTheWay = Files.writeString(directory.resolve("file"), "here");

    RunningLightmill run =
        generate(table("id,prompt", "1,a mug"), List.of("--output=" + inTheWay.resolve("out")));

    assertRefused(run, "file/out cannot be written");
    assertThat(inTheWay).hasContent("here");
  }

  @Test
  void aBadRowAmongGoodOnesCostsNoneOfThem() throws IOException {
    Path table =
        table(
            "sku,prompt,negative_prompt,width",
            "good-1,red mug on a white background,,",
            "bad,red mug on a white background,,100",
            "good-2,blue vase on a wooden table,blurry,");
    Path summary = directory.resolve("summary.json");
    List<String> options =
        List.of(
            "--column=id=sku",
            "--path-template={sku}",
            "--num-inference-steps=1",
            "--summary-json=" + summary);

    RunningLightmill first = generate(table, options);

    assertThat(first.err())
        .contains(
            "to draw               2", "SIZE_INVALID: row id=bad: width 100", "128×128      1")
        .contains("→ 3 images in ", "note: 1 image has a negative prompt");
    assertThat(first.out())
        .contains(
            "2 generated",
            "1 invalid",
            "row bad invalid, SIZE_INVALID: row id=bad: width 100 is not a positive multiple of 16;"
                + " the nearest is 96");
    assertThat(first.status()).isEqualTo(ExitStatus.ROWS_FAILED);
    assertThat(summary)
        .content()
        .contains("\"status\" : \"rows_failed\"", "\"generated\" : 2,", "\"invalid\" : 1");
    assertThat(files("images")).containsExactly("good-1.png", "good-2.png");
    assertThat(manifest())
        .containsExactly("bad invalid SIZE_INVALID", "good-1 generated", "good-2 generated");

    List<String> more = new ArrayList<>(options);
    more.add("--max-failures=1");
    more.add("--json");
    more.add("--on-finish=cat > '%s'".formatted(directory.resolve("hooked.json")));
    RunningLightmill second = generate(table, more);

    assertThat(second.err()).contains("2 reused, 1 invalid");
    JsonNode report = new ObjectMapper().readTree(second.out()); // which is all that is printed
    assertThat(report.get("images").get("reused").asInt()).isEqualTo(2);
    assertThat(new ObjectMapper().readTree(directory.resolve("hooked.json").toFile()))
        .isEqualTo(report);
    assertThat(second.status()).isEqualTo(ExitStatus.DONE);
    assertThat(summary).content().contains("\"status\" : \"succeeded\"", "\"reused\" : 2,");
  }

  @Test
  void anImageThatIsNotFiniteFailsAndIsNotStored() throws IOException {
    CheckpointCopy checkpoint = new CheckpointCopy(directory.resolve("checkpoint"));
    PathUtils.copyDirectory(POCKET, checkpoint.directory());
    checkpoint.change(
        "transformer/diffusion_pytorch_model",
        tensors -> tensors.computeIfPresent("proj_out.weight", (name, w) -> w.with(0, Float.NaN)));
    List<String> options =
        List.of("--checkpoint=" + checkpoint.directory(), "--num-inference-steps=2");

    RunningLightmill run = generate(table("id,prompt", "1,red mug on a white background"), options);

    assertThat(run.status()).isEqualTo(ExitStatus.ROWS_FAILED);
    assertThat(run.out())
        .contains("1 failed", "row 1 failed, IMAGE_NOT_FINITE: ", "transformer at step 1 of 2");
    assertThat(directory.resolve("out/images")).doesNotExist();
    assertThat(manifest()).containsExactly("1 failed IMAGE_NOT_FINITE");
  }

  /** Weights that decode everything to black. */
  @Test
  void aBlackImageFailsAndIsNotStored() throws IOException {
    CheckpointCopy checkpoint = new CheckpointCopy(directory.resolve("checkpoint"));
    PathUtils.copyDirectory(POCKET, checkpoint.directory());
    checkpoint.change(
        "vae/diffusion_pytorch_model",
        tensors -> {
          tensors.put(
              "decoder.conv_out.weight", StoredBytes.of(new float[3 * 16 * 9], 3L, 16L, 3L, 3L));
          tensors.put("decoder.conv_out.bias", StoredBytes.of(new float[] {-9, -9, -9}, 3L));
        });
    List<String> options =
        List.of("--checkpoint=" + checkpoint.directory(), "--num-inference-steps=1");
    Path table = table("id,prompt", "1,red mug on a white background", "2,blue vase");

    RunningLightmill run = generate(table, options);

    assertThat(run.status()).isEqualTo(ExitStatus.ROWS_FAILED);
    assertThat(run.out()).contains("2 failed", "IMAGE_BLANK: the image has one colour (red 0,");
    assertThat(directory.resolve("out/images")).doesNotExist();
    assertThat(manifest()).containsExactly("1 failed IMAGE_BLANK", "2 failed IMAGE_BLANK");
  }

  private RunningLightmill generate(Path table, List<String> options) {
    Stream<String> usual =
        Stream.of("generate", "--input=" + table, "--output=" + directory.resolve("out"));
    Stream<String> unless =
        usual.filter(
            argument ->
                options.stream().noneMatch(o -> o.startsWith(argument.replaceFirst("=.*", "="))));
    return RunningLightmill.of(Stream.concat(unless, options.stream()).toArray(String[]::new));
  }

  private void assertRefused(RunningLightmill run, String sentence) {
    assertThat(run.status()).as(run.err()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err().lines().toList())
        .last()
        .asString()
        .startsWith("lightmill: ")
        .contains(sentence);
    assertThat(run.err()).doesNotContain("\tat ", "→");
    assertThat(run.out()).isEmpty();
    assertThat(directory.resolve("out")).doesNotExist();
  }

  private Path table(String... lines) throws IOException {
    return Files.write(directory.resolve("prompts.csv"), List.of(lines), UTF_8);
  }

  private List<String> files(String folder) throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("out").resolve(folder))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private List<String> manifest() {
    return TestSpark.session()
        .read()
        .parquet(directory.resolve("out/manifest").toString())
        .selectExpr("concat_ws(' ', id, status, error_code)")
        .collectAsList()
        .stream()
        .map(row -> row.getString(0))
        .sorted()
        .collect(Collectors.toList());
  }
}
