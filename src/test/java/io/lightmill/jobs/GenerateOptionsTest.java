package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.OptionGroup;
import io.lightmill.udfs.option.OptionRegistry;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.option.ScheduleOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the values mean is tested where options are parsed. */
class GenerateOptionsTest {

  /** A value other than the default for each option, as the run record has it. */
  private static final Map<String, Object> EVERY = new LinkedHashMap<>();

  static {
    EVERY.put("input", "s3a://bucket/part-*.json");
    EVERY.put("input-format", "json");
    EVERY.put("column", Map.of("prompt", "caption", "id", "sku"));
    EVERY.put("prompt-template", "a {color} {name}, \"boxed\" 100 %");
    EVERY.put("limit", 7);
    EVERY.put("input-version", "12");
    EVERY.put("input-timestamp", "2026-11-26 09:00:00");
    EVERY.put("output", "s3a://bucket/out");
    EVERY.put("format", "jpeg");
    EVERY.put("quality", 90);
    EVERY.put("path-template", "{sku}/{image_id}");
    EVERY.put("sink", "webdataset");
    EVERY.put("shard-size", 500);
    EVERY.put("manifest-table", "lake.db.images");
    EVERY.put("manifest-table-format", "delta");
    EVERY.put("batch-output", "s3a://bucket/results");
    EVERY.put("batch-images", "b64_json");
    EVERY.put("force", true);
    EVERY.put("retry-failed", false);
    EVERY.put("deadline", "7h30m");
    EVERY.put("wait-for-lock", "5m");
    EVERY.put("max-failures", 3);
    EVERY.put("checkpoint", "hdfs:///models/flux");
    EVERY.put("variant", "fp16");
    EVERY.put("dtype", "bfloat16");
    EVERY.put(
        "lora", Map.of("brand", "s3a://bucket/brand.safetensors", "style", "a=b,c=d.safetensors"));
    EVERY.put("device", "cuda");
    EVERY.put("batch-size", 4);
    EVERY.put("threads-per-image", 2);
    EVERY.put("partitions", 12);
    EVERY.put("offload", true);
    EVERY.put("offload-chunk", 16);
    EVERY.put("width", "1344");
    EVERY.put("height", "768");
    EVERY.put("num-inference-steps", "28");
    EVERY.put("guidance-scale", "3.5");
    EVERY.put("true-cfg-scale", "4");
    EVERY.put("negative-prompt", "@blurry, --ugly");
    EVERY.put("num-images-per-prompt", "2");
    EVERY.put("max-sequence-length", "512");
    EVERY.put("default-lora", "brand@0.5");
    EVERY.put("seed", -9007199254740993L);
    EVERY.put("truncate-prompts", true);
    EVERY.put("tier", "efficient");
    EVERY.put("step-cache", "sea");
    EVERY.put("cache-threshold", 0.25);
    EVERY.put("guidance-interval", "0-0.8");
    EVERY.put("guidance-cache-from", 0.5);
    EVERY.put("joint-guidance", true);
    EVERY.put("policy", "s3a://bucket/policy.yaml");
    EVERY.put("blank-images", "keep");
    EVERY.put("prompt-classifier", "s3a://bucket/toxic");
    EVERY.put("prompt-threshold", Map.of("toxic", "0.8", "insult", "0.5:flag"));
    EVERY.put("image-classifier", "s3a://bucket/nsfw");
    EVERY.put("image-threshold", Map.of("nsfw", "0.7"));
    EVERY.put("image-action", "retry");
    EVERY.put("image-retries", 2);
    EVERY.put("quarantine", "blocked");
    EVERY.put("best-of", 3);
    EVERY.put("scorer", "s3a://bucket/clip");
    EVERY.put("provider", "Example Inc.");
    EVERY.put("ai-system", "Example Images 3");
    EVERY.put("prompt-metadata", "hash");
    EVERY.put("creation-time", "2026-11-26T09:00:00Z");
    EVERY.put("aigc-producer", "001191");
    EVERY.put("c2pa-certificate", "s3a://bucket/chain.pem");
    EVERY.put("c2pa-key", "s3a://bucket/key.pem");
    EVERY.put("c2pa-timestamp", "https://tsa.example.com/");
    EVERY.put("requests-per-minute", 60);
    EVERY.put("concurrent-requests", 5);
    EVERY.put("max-cost", 12.5);
    EVERY.put("price-per-million-input-tokens", 5.5);
    EVERY.put("price-per-million-output-tokens", 19.5);
    EVERY.put("price-per-image", 0.04);
    EVERY.put("output-tokens-per-image", 1056);
    EVERY.put("credential-env", "IMAGE_KEY");
    EVERY.put("credential-file", "/run/secrets/key");
    EVERY.put("credential-alias", "image.key");
    EVERY.put("credential-header", "bearer");
    EVERY.put("hosted-quality", "high");
    EVERY.put("unsent-values", "invalid");
    EVERY.put("retry-uncertain", true);
    EVERY.put("retry-blocked", true);
    EVERY.put("request-timeout", "2m");
    EVERY.put("connect-timeout", "5s");
    EVERY.put("request-attempts", 3);
    EVERY.put("retry-time", "30m");
    EVERY.put("proxy", "proxy.example.com:3128");
    EVERY.put("http1", true);
    EVERY.put("images-per-second", 2.5);
    EVERY.put("seconds-per-megapixel-step", 0.25);
    EVERY.put("device-hour-price", "2.49 USD");
    EVERY.put("master", "local[3]");
    EVERY.put("conf", Map.of("spark.ui.enabled", "true", "spark.a", "-Da=b,c -Dd=e"));
    EVERY.put("slots-per-gpu", 2);
  }

  @Test
  void everyRegisteredOptionIsAnOptionOfTheCommandLineAndAKeyOfAJobFile(@TempDir Path directory)
      throws IOException {
    GenerationOptions line = ParsedGenerate.of(arguments(EVERY)).options();

    assertThat(line.jobFile()).isEqualTo(EVERY);
    assertThat(EVERY.keySet())
        .containsExactlyInAnyOrderElementsOf(
            OptionRegistry.all().stream()
                .filter(option -> option.group() != OptionGroup.COMMAND) // not in a run record
                .map(option -> option.key())
                .filter(key -> !key.equals("run-id"))
                .filter(key -> !key.equals("step-mask")) // has no effect beside a threshold
                .filter(key -> !key.equals("watermark")) // a secret, which no job file has
                .toList());

    Path file = directory.resolve("job.yaml");
    Files.write(file, new ObjectMapper().writeValueAsBytes(line.jobFile()));
    assertThat(ParsedGenerate.of("--config=" + file).options()).isEqualTo(line);
  }

  private static String[] arguments(Map<String, Object> values) {
    List<String> arguments = new ArrayList<>();
    values.forEach(
        (key, value) -> {
          if (value instanceof Map<?, ?> map) {
            map.forEach((name, each) -> arguments.add("--" + key + "=" + name + "=" + each));
          } else if (value.equals(true)) {
            arguments.add("--" + key);
          } else if (value.equals(false)) {
            arguments.add("--no-" + key);
          } else {
            arguments.add("--" + key);
            arguments.add(value.toString());
          }
        });
    return arguments.toArray(String[]::new);
  }

  @Test
  void tableAndOutputAreEnough() {
    GenerationOptions options = ParsedGenerate.of("--input=a.csv", "--output=out").options();
    assertThat(options)
        .isEqualTo(GenerationOptions.parse(Map.of("input", "a.csv", "output", "out")));
    assertThat(options.jobFile())
        .isEqualTo(
            Map.ofEntries(
                Map.entry("input", "a.csv"),
                Map.entry("output", "out"),
                Map.entry("format", "png"),
                Map.entry("sink", "files"),
                Map.entry("force", false),
                Map.entry("retry-failed", true),
                Map.entry("checkpoint", "builtin:pocket"),
                Map.entry("threads-per-image", 1),
                Map.entry("device", "auto"),
                Map.entry("offload", false),
                Map.entry("offload-chunk", 64),
                Map.entry("seed", 0L),
                Map.entry("truncate-prompts", false),
                Map.entry("tier", "quality"),
                Map.entry("joint-guidance", false),
                Map.entry("policy", "default"),
                Map.entry("blank-images", "fail"),
                Map.entry("image-action", "block"),
                Map.entry("image-retries", 3),
                Map.entry("best-of", 1),
                Map.entry("prompt-metadata", "full"),
                Map.entry("creation-time", "none")));
  }

  @ParameterizedTest
  @CsvSource({
    "--retry-failed, true",
    "--no-retry-failed, false",
    "--retry-failed=false, false",
    "--retry-failed=true, true"
  })
  void aFlagThatIsOnByDefaultCanBeTurnedOff(String argument, boolean value) {
    assertThat(
            ParsedGenerate.of("--input=a", "--output=b", argument)
                .options()
                .get(Options.RETRY_FAILED))
        .isEqualTo(value);
  }

  @Test
  void secretsAreNotRendered() {
    Map<String, Object> file =
        ParsedGenerate.of(
                "--input=s3a://me:hidden1@bucket/a.csv",
                "--output=b",
                "--conf=spark.hadoop.fs.s3a.secret.key=hidden2",
                "--conf=spark.hadoop.fs.s3a.endpoint=http://store:9000")
            .options()
            .jobFile();
    assertThat(file.toString()).doesNotContain("hidden");
    assertThat(file).containsEntry("input", "s3a://bucket/a.csv");
    assertThat(file.get("conf"))
        .isEqualTo(
            Map.of(
                "spark.hadoop.fs.s3a.secret.key",
                Redaction.REDACTED,
                "spark.hadoop.fs.s3a.endpoint",
                "http://store:9000"));
  }

  /** It may contain secrets, and would let whoever writes SQL run commands. */
  @Test
  void aCommandAtTheEndIsOfTheCommandLineOnly() {
    GenerationOptions options =
        ParsedGenerate.of("--input=a", "--output=b", "--on-finish=curl hidden").options();
    assertThat(options.get(ScheduleOptions.ON_FINISH)).isEqualTo("curl hidden");
    assertThat(options.jobFile().toString()).doesNotContain("hidden");
    assertThatThrownBy(() -> GenerationOptions.parse(Map.of("on_finish", "curl hidden")))
        .isInstanceOf(LightmillException.class)
        .hasMessage("option 'on_finish' is one of the command line only; leave it out");
  }

  @Test
  void aRunIdIsNoPartOfAJobFileSinceItNamesOneRun() {
    GenerationOptions options =
        ParsedGenerate.of("--input=a", "--output=b", "--run-id=spring.1").options();
    assertThat(options.get(Options.RUN_ID)).isEqualTo("spring.1");
    assertThat(options.jobFile()).doesNotContainKey("run-id");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "--width=0 | option 'width' is '0', but must be a valid value of" + " the column 'width'",
        "--height=-16 | option 'height' is '-16', but must be a valid value of"
            + " the column 'height'",
        "--num-inference-steps=0 | option 'num-inference-steps' is '0', but must be a valid value"
            + " of the column 'num_inference_steps'",
        "--num-images-per-prompt=0 | option 'num-images-per-prompt' is '0', but must be a valid"
            + " value of the column 'num_images_per_prompt'",
        "--num-images-per-prompt=two | option 'num-images-per-prompt' is 'two', but must be a valid"
            + " value of the column 'num_images_per_prompt'",
        "--max-sequence-length=0 | option 'max-sequence-length' is '0', but must be a valid value"
            + " of the column 'max_sequence_length'",
        "--guidance-scale=-0.5 | option 'guidance-scale' is '-0.5', but must be a valid value of"
            + " the column 'guidance_scale'",
        "--true-cfg-scale=NaN | option 'true-cfg-scale' is 'NaN', but must be a valid value of"
            + " the column 'true_cfg_scale'",
        "--default-lora=a b | option 'default-lora' is 'a b', but must be a valid value of"
            + " the column 'lora'",
        "--partitions=0 | option 'partitions' is '0', but must be a whole number of at least 1",
        "--shard-size=5 | option 'shard-size' is 5, but the sink 'files' has no shards; remove it,"
            + " or set 'sink' to webdataset or parquet",
        "--conf=fs.s3a.endpoint=x | option 'conf' is 'fs.s3a.endpoint=', but must be entries whose"
            + " names begin with 'spark.' (Hadoop's with 'spark.hadoop.')",
        "--column=prompt | option 'column' is 'prompt', but must be entries such as prompt=caption",
      })
  void aBadValueIsRefusedBeforeSparkStarts(String option, String sentence) {
    RunningLightmill run = RunningLightmill.of("generate", "--input=a", "--output=b", option);
    assertThat(run.err()).isEqualToIgnoringNewLines("lightmill: " + sentence);
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"latest", "spring.attempt-2", "-x", ""})
  void aRunIdThatLightmillUsesItselfIsRefused(String id) {
    RunningLightmill run =
        RunningLightmill.of("generate", "--input=a", "--output=b", "--run-id=" + id);
    assertThat(run.err()).startsWith("lightmill: option 'run-id' is '" + id + "', but must be");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--prompt-template=a {color | prompt template 'a {color' has a '{' at character 3",
        "--path-template=a//b | Path template 'a//b' starts or ends with a slash",
        "--checkpoint=some-org/some-model | 'hf download some-org/some-model --local-dir"
            + " models/some-model'",
      })
  void templatesAndIdsOfTheHubAreCheckedBeforeSparkStarts(String option, String sentence) {
    RunningLightmill run =
        RunningLightmill.of("generate", "--input=a", "--output=b", "--master=nowhere", option);
    assertThat(run.err().lines().toList()).singleElement().asString().contains(sentence);
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @Test
  void aMissingTableOrOutputIsNamed() {
    assertThat(RunningLightmill.of("generate", "--output=b").err())
        .startsWith("lightmill: option 'input' is missing; give a table (--input, or 'input'");
    RunningLightmill run = RunningLightmill.of("generate", "--input=a");
    assertThat(run.err())
        .startsWith("lightmill: option 'output' is missing; give a directory (--output, or");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @Test
  void theHelpTextHasEveryOptionInItsSection() {
    String help = RunningLightmill.of("generate", "--help").out();
    assertThat(help)
        .startsWith("Usage: lightmill generate --input=TABLE")
        .containsSubsequence(
            "--config=FILE.yaml",
            "Prompt table:",
            "--input=TABLE",
            "--column=NAME=COLUMN",
            "Output:",
            "--output=DIRECTORY",
            "Reruns and limits of a run:",
            "--[no-]retry-failed",
            "Model and devices:",
            "builtin:pocket.",
            "Values for rows that have none in their columns:",
            "--num-inference-steps=N",
            "Spark session:",
            "--conf=KEY=VALUE",
            "Examples:",
            "Exit statuses: 0 success");
    OptionRegistry.all()
        .forEach(option -> assertThat(help).containsPattern("--(\\[no-])?" + option.key() + "\\b"));
  }
}
