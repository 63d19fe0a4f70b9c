package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.option.Redaction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AskedOptionsTest {

  @Test
  void valuesAndDefaultsAreListedUnderTheKeysOfJobFiles() {
    assertThat(
            ParsedGenerate.of("--input=a.csv", "--output=b", "--column=id=sku", "--dtype=float16")
                .asked())
        .isEqualTo(
            Map.ofEntries(
                Map.entry("input", "a.csv"),
                Map.entry("column", Map.of("id", "sku")),
                Map.entry("output", "b"),
                Map.entry("format", "png"),
                Map.entry("sink", "files"),
                Map.entry("force", false),
                Map.entry("retry-failed", true),
                Map.entry("checkpoint", "builtin:pocket"),
                Map.entry("batch-size", 8),
                Map.entry("device", "auto"),
                Map.entry("dtype", "float16"),
                Map.entry("offload", false),
                Map.entry("seed", 0L),
                Map.entry("truncate-prompts", false)));
  }

  @Test
  void secretsAreLeftOut() {
    Map<String, Object> asked =
        ParsedGenerate.of(
                "--input=s3a://me:hidden1@bucket/a.csv",
                "--output=b",
                "--conf=spark.hadoop.fs.s3a.secret.key=hidden2",
                "--conf=spark.hadoop.fs.s3a.endpoint=http://store:9000")
            .asked();
    assertThat(asked.toString()).doesNotContain("hidden");
    assertThat(asked).containsEntry("input", "s3a://bucket/a.csv");
    assertThat(asked.get("conf"))
        .isEqualTo(
            Map.of(
                "spark.hadoop.fs.s3a.secret.key",
                Redaction.REDACTED,
                "spark.hadoop.fs.s3a.endpoint",
                "http://store:9000"));
  }

  @Test
  void theyAreAJobFileAgain(@TempDir Path directory) throws IOException {
    ParsedGenerate first =
        ParsedGenerate.of(
            "--input=/data/a.csv",
            "--output=b",
            "--column=id=sku",
            "--dtype=bfloat16",
            "--format=jpeg",
            "--guidance-scale=3.5",
            "--negative-prompt=blurry, \"soft\"",
            "--run-id=again",
            "--conf=spark.ui.enabled=true");
    Path file = directory.resolve("asked.yaml");
    Files.write(file, new ObjectMapper().writeValueAsBytes(first.asked()));

    ParsedGenerate second = ParsedGenerate.of("--config=" + file);

    assertThat(second.settings()).isEqualTo(first.settings());
    assertThat(second.asked()).isEqualTo(first.asked());
  }
}
