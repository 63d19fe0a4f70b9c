package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lightmill.pipeline.StepCaching;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.udfs.option.ColumnOptions;
import io.lightmill.udfs.option.EfficiencyOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Tier;
import io.lightmill.udfs.regenerate.Regeneration;
import io.lightmill.udfs.report.RunRecord;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way with a real engine: from a table to pictures of the checkpoint that ships. */
class PocketGenerationTest {

  /** Channels of the transformer of the checkpoint that ships: 6 heads of 32. */
  private static final int WIDTH = 192;

  @TempDir Path directory;

  private GenerationOptions options(Path table, String output, int batchSize, String runId) {
    return GenerationOptions.EMPTY
        .with(Options.INPUT, table.toString())
        .with(Options.OUTPUT_DIRECTORY, directory.resolve(output).toString())
        .with(ModelOptions.BATCH_SIZE, batchSize)
        .with(Options.SEED, 7L)
        .with(Options.RUN_ID, runId);
  }

  private RunResult run(GenerationOptions options) {
    return GenerationRun.execute(TestSpark.session(), Optional.empty(), options, RunListener.NONE);
  }

  private static List<String> hashes(RunResult result) {
    return result.manifest().orderBy("id").collectAsList().stream()
        .map(row -> row.<String>getAs("sha256"))
        .toList();
  }

  @Test
  void tableBecomesPicturesThatDoNotDependOnTheirBatch() throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.writeString(
        table,
        """
        id,prompt,num_inference_steps,sku
        1,a red circle,2,A
        2,a blue square on a green background,2,B
        3,a yellow triangle,2,C
        """);

    RunResult together = run(options(table, "together", 4, "one"));
    RunResult alone = run(options(table, "alone", 1, "one"));
    RunResult again = run(options(table, "together", 4, "two"));

    assertThat(together.summary().labelled()).isEqualTo(Map.of("generated", 3L));
    assertThat(together.record().seconds().engine()).isPositive();
    assertThat(hashes(together)).doesNotHaveDuplicates().isEqualTo(hashes(alone));
    assertThat(again.summary().labelled()).isEqualTo(Map.of("reused", 3L));
    assertThat(hashes(again)).isEqualTo(hashes(together));
    for (Row row : together.manifest().collectAsList()) {
      Path image = directory.resolve("together").resolve(row.<String>getAs("path"));
      assertThat(ImageIO.read(image.toFile()).getWidth()).isEqualTo(row.<Integer>getAs("width"));
      assertThat(row.<String>getAs("model")).isEqualTo("builtin:pocket");
      assertThat(row.<String>getAs("model_digest"))
          .isEqualTo(together.record().checkpoint().digest());
      assertThat(row.<String>getAs("device")).isEqualTo("cpu");
    }
  }

  @Test
  void tiersAndRowsChooseTheirTransformerCalls() throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.writeString(
        table,
        """
        id,prompt,negative_prompt,num_inference_steps,sampling_efficiency
        1,a red circle,blue,4,
        2,a red circle,blue,4,mask@0
        3,a red circle,blue,4,none
        4,a red circle,blue,4,fast
        5,a red circle,,4,
        """);

    RunResult result =
        run(
            options(table, "out", 4, "one")
                .with(ColumnOptions.all().get("true_cfg_scale"), "2")
                .with(EfficiencyOptions.TIER, Tier.EFFICIENT)
                .with(EfficiencyOptions.STEP_CACHE, StepCaching.Method.SEA)
                .with(EfficiencyOptions.CACHE_THRESHOLD, 0.0)
                .with(EfficiencyOptions.GUIDANCE_INTERVAL, "0-0.5"));

    List<Row> rows = result.manifest().orderBy("id").collectAsList();
    assertThat(rows)
        .extracting(row -> row.<Integer>getAs("transformer_calls"))
        .containsExactly(4 + 2, 2 + 2, 4 + 4, null, 4);
    assertThat(rows)
        .extracting(row -> row.<String>getAs("sampling_efficiency"))
        .containsExactly("sea@0+guidance@0-0.5", "mask@0", null, null, "sea@0+guidance@0-0.5");
    assertThat(rows.get(3).<String>getAs("error_message"))
        .contains("row id=4: sampling efficiency 'fast' cannot be read at 'fast'");
    assertThat(List.of(hashes(result).get(0), hashes(result).get(1), hashes(result).get(2)))
        .doesNotHaveDuplicates();
    assertThat(result.record().asked()).containsEntry("tier", "efficient");
    byte[] image =
        Files.readAllBytes(directory.resolve("out").resolve(rows.get(1).<String>getAs("path")));
    assertThat(new String(image, StandardCharsets.ISO_8859_1))
        .contains("Sampling efficiency: mask@0", "\"sampling_efficiency\":\"mask@0\"");
  }

  @Test
  void aChunkOfImagesLoadsEachNetworkOnceAndWorkIsToldByPhase() throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.writeString(
        table,
        """
        id,prompt,num_inference_steps,width,height,seed
        1,a red circle,1,64,64,1
        2,a blue square,1,64,64,2
        3,a yellow triangle,1,64,64,3
        4,a yellow triangle,1,64,64,4
        """);

    GenerationOptions offloaded =
        options(table, "offloaded", 1, "one")
            .with(ModelOptions.PARTITIONS, 1)
            .with(ModelOptions.OFFLOAD, true)
            .with(ModelOptions.OFFLOAD_CHUNK, 4);
    RunResult chunk = run(offloaded);
    RunResult pairs =
        run(
            offloaded
                .with(ModelOptions.OFFLOAD_CHUNK, 2)
                .with(Options.RUN_ID, "two")
                .with(Options.FORCE, true));
    RunResult resident = run(options(table, "resident", 1, "one"));

    assertThat(hashes(chunk)).isEqualTo(hashes(resident)).isEqualTo(hashes(pairs));
    RunRecord.Drawing drawing = chunk.record().drawing();
    assertThat(drawing.loadedBytes()).isPositive();
    assertThat(drawing.loadedBytesPerImage()).isEqualTo(drawing.loadedBytes() / 4);
    assertThat(pairs.record().drawing().loadedBytes()).isEqualTo(2 * drawing.loadedBytes());
    assertThat(resident.record().drawing().loadedBytes()).isZero();
    assertThat(drawing.prompts()).isEqualTo(4);
    assertThat(drawing.cachedPrompts()).isEqualTo(1);
    assertThat(drawing.loadSeconds()).isPositive();
    assertThat(
            drawing.encodePromptSeconds()
                + drawing.denoiseSeconds()
                + drawing.decodeSeconds()
                + drawing.loadSeconds())
        .isCloseTo(chunk.record().seconds().engine(), within(1e-6));
    assertThat(resident.manifest().collectAsList())
        .allSatisfy(
            row -> {
              double denoise = row.getAs("denoise_ms");
              double decode = row.getAs("decode_ms");
              assertThat(denoise).isPositive();
              assertThat(decode).isPositive();
              assertThat(row.<Double>getAs("generate_ms"))
                  .isCloseTo(
                      row.<Double>getAs("encode_prompt_ms") + denoise + decode, within(1e-6));
            });
  }

  @Test
  void rowsChooseTheirAdapters() throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.writeString(
        table,
        """
        id,prompt,num_inference_steps,seed,lora
        1,a red circle,1,5,
        2,a red circle,1,5,brand@0
        3,a red circle,1,5,brand@0.5
        4,a red circle,1,5,house
        5,a red circle,1,6,brand@0.50
        """);
    Path adapter = adapter();
    Map<String, String> adapters = Map.of("brand", adapter.toString());

    RunResult result =
        run(
            options(table, "out", 4, "one")
                .with(ModelOptions.LORA, adapters)
                .with(ModelOptions.OFFLOAD, true));
    RunResult alone = run(options(table, "plain", 1, "one"));

    assertThat(result.summary().labelled())
        .isEqualTo(Map.of("generated", 3L, "reused", 1L, "invalid", 1L));
    List<String> hashes = hashes(result);
    assertThat(hashes.get(1)).isEqualTo(hashes.get(0)).isEqualTo(hashes(alone).get(0));
    assertThat(List.of(hashes.get(0), hashes.get(2), hashes.get(4))).doesNotHaveDuplicates();
    List<Row> rows = result.manifest().orderBy("id").collectAsList();
    assertThat(rows)
        .extracting(row -> row.<String>getAs("lora"))
        .containsExactly(null, null, "brand@0.5", "house@1", "brand@0.5");
    assertThat(rows.get(3).<String>getAs("lora_digests")).isNull();
    assertThat(rows.get(2).<String>getAs("lora_digests"))
        .isEqualTo(DigestUtils.sha256Hex(Files.readAllBytes(adapter)));
    assertThat(rows.get(3).<String>getAs("error_message")).contains("the job's adapters are brand");
    byte[] image =
        Files.readAllBytes(directory.resolve("out").resolve(rows.get(2).<String>getAs("path")));
    assertThat(new String(image, StandardCharsets.ISO_8859_1))
        .contains("Lora: brand@0.5", rows.get(2).<String>getAs("lora_digests"));
    try (Regeneration again =
        new Regeneration(
            GenerationOptions.EMPTY.with(ModelOptions.LORA, Map.of("renamed", adapter.toString())),
            Optional.empty(),
            Optional.empty())) {
      assertThat(again.draw("image", image).pixels().none()).isTrue();
    }
    try (Regeneration without =
        new Regeneration(GenerationOptions.EMPTY, Optional.empty(), Optional.empty())) {
      assertThatThrownBy(() -> without.draw("image", image))
          .hasMessageContaining("give its file with --lora NAME=FILE");
    }
  }

  private Path adapter() throws IOException {
    float[] values = new float[4 * WIDTH];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i * 37 % 101 - 50) / 100f;
    }
    String layer = "transformer.transformer_blocks.0.attn.to_out.0.";
    return StoredBytes.write(
        directory.resolve("brand.safetensors"),
        Map.of(
            layer + "lora_A.weight", StoredBytes.of(values, 4L, (long) WIDTH),
            layer + "lora_B.weight", StoredBytes.of(values, (long) WIDTH, 4L)));
  }
}
