package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.DeviceChoice;
import io.lightmill.udfs.GenerationSettings;
import io.lightmill.udfs.shard.ShardFormat;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GenerateOptionsTest {

  @Test
  void tableAndOutputAreEnough() {
    GenerationSettings settings = ParsedGenerate.of("--input=a.csv", "--output=out").settings();
    assertThat(settings.table())
        .isEqualTo(
            new GenerationSettings.Table(
                "a.csv", Optional.empty(), Map.of(), Optional.empty(), OptionalInt.empty()));
    assertThat(settings.defaults())
        .isEqualTo(
            new GenerationSettings.Defaults(
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                0,
                false,
                Optional.empty()));
    assertThat(settings)
        .isEqualTo(
            new GenerationSettings(
                settings.table(),
                settings.defaults(),
                "builtin:pocket",
                GenerationSettings.Loading.PLAIN,
                "out",
                ImageFormat.PNG,
                Optional.empty(),
                Optional.empty(),
                8,
                1,
                OptionalInt.empty(),
                DeviceChoice.AUTO,
                Optional.empty(),
                settings.runId(),
                new GenerationSettings.Rerun(false, true),
                Optional.empty(),
                OptionalInt.empty()));
    assertThat(settings.runId()).matches("20260304T050607Z-[a-z0-9]{4}");
  }

  @Test
  void everyOptionReachesTheSettings() {
    GenerationSettings settings =
        ParsedGenerate.of(
                "--input=s3a://bucket/part-*.json",
                "--input-format=json",
                "--column=prompt=caption",
                "--prompt-template=a {color} {name}, \"boxed\"",
                "--column=id=sku",
                "--limit=7",
                "--output=s3a://bucket/out",
                "--format=jpeg",
                "--path-template={sku}/{image_id}",
                "--sink=webdataset",
                "--shard-size=500",
                "--force",
                "--no-retry-failed",
                "--deadline=7h30m",
                "--max-failures=3",
                "--run-id=spring.1",
                "--checkpoint=hdfs:///models/flux",
                "--batch-size=4",
                "--threads-per-image=2",
                "--dtype=bfloat16",
                "--partitions=12",
                "--device=cuda",
                "--width=1344",
                "--height=768",
                "--num-inference-steps=28",
                "--guidance-scale=3.5",
                "--true-cfg-scale=4",
                "--negative-prompt=@blurry, --ugly",
                "--num-images-per-prompt=2",
                "--max-sequence-length=512",
                "--seed=-9007199254740993",
                "--truncate-prompts",
                "--lora=brand=s3a://bucket/brand.safetensors",
                "--lora=style=style.safetensors",
                "--default-lora=brand@0.5",
                "--offload",
                "--variant=fp16")
            .settings();
    assertThat(settings)
        .isEqualTo(
            new GenerationSettings(
                new GenerationSettings.Table(
                    "s3a://bucket/part-*.json",
                    Optional.of("json"),
                    Map.of("prompt", "caption", "id", "sku"),
                    Optional.of("a {color} {name}, \"boxed\""),
                    OptionalInt.of(7)),
                new GenerationSettings.Defaults(
                    OptionalInt.of(1344),
                    OptionalInt.of(768),
                    OptionalInt.of(28),
                    Optional.of(3.5),
                    Optional.of(4.0),
                    Optional.of("@blurry, --ugly"),
                    OptionalInt.of(2),
                    OptionalInt.of(512),
                    -9007199254740993L,
                    true,
                    Optional.of("brand@0.5")),
                "hdfs:///models/flux",
                new GenerationSettings.Loading(
                    "fp16",
                    Map.of("brand", "s3a://bucket/brand.safetensors", "style", "style.safetensors"),
                    true),
                "s3a://bucket/out",
                ImageFormat.JPEG,
                Optional.of("{sku}/{image_id}"),
                Optional.of(new GenerationSettings.Packing(ShardFormat.WEBDATASET, 500)),
                4,
                2,
                OptionalInt.of(12),
                DeviceChoice.CUDA,
                Optional.of(DType.BF16),
                "spring.1",
                new GenerationSettings.Rerun(true, false),
                Optional.of(Instant.parse("2026-03-04T12:36:07Z")),
                OptionalInt.of(3)));
  }

  @ParameterizedTest
  @CsvSource({"float32,F32", "bfloat16,BF16", "float16,F16", "FLOAT16,F16"})
  void weightTypesCarryTorchsNames(String name, DType dtype) {
    assertThat(ParsedGenerate.of("--input=a", "--output=b", "--dtype=" + name).settings().dtype())
        .contains(dtype);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "--width=0 | --width is 0, but must be at least 1.",
        "--height=-16 | --height is -16, but must be at least 1.",
        "--num-inference-steps=0 | --num-inference-steps is 0, but must be at least 1.",
        "--num-images-per-prompt=0 | --num-images-per-prompt is 0, but must be at least 1.",
        "--max-sequence-length=0 | --max-sequence-length is 0, but must be at least 1.",
        "--limit=0 | --limit is 0, but must be at least 1.",
        "--batch-size=0 | --batch-size is 0, but must be at least 1.",
        "--partitions=0 | --partitions is 0, but must be at least 1.",
        "--max-failures=-1 | --max-failures is -1, but must be at least 0.",
        "--guidance-scale=-0.5 | --guidance-scale is -0.5, but must be a finite number of at least"
            + " 0.0.",
        "--true-cfg-scale=NaN | --true-cfg-scale is NaN, but must be a finite number of at least"
            + " 0.0.",
        "--true-cfg-scale=Infinity | --true-cfg-scale is Infinity, but must be a finite number of"
            + " at least 0.0.",
        "--run-id=../up | --run-id is '../up', but must be at most 100 letters, digits, dots,"
            + " dashes and underscores, of which the first is a letter or a digit.",
        "--deadline=soon | --deadline is 'soon', but must be a time such as 90s, 55m or 7h30m.",
        "--deadline=0m | --deadline is '0m', but must be a time such as 90s, 55m or 7h30m.",
        "--shard-size=0 | --shard-size is 0, but must be at least 1.",
        "--shard-size=5 | --shard-size is 5, but --sink files packs no images; leave it out, or"
            + " choose webdataset or parquet.",
        "--sink=zip | Invalid value for option '--sink': expected one of [FILES, WEBDATASET,"
            + " PARQUET] (case-insensitive) but was 'zip'",
        "--format=gif | Invalid value for option '--format': expected one of [PNG, JPEG]"
            + " (case-insensitive) but was 'gif'",
        "--dtype=int8 | Invalid value for option '--dtype': expected one of [FLOAT32, BFLOAT16,"
            + " FLOAT16] (case-insensitive) but was 'int8'",
        "--conf=fs.s3a.endpoint=x | --conf names 'fs.s3a.endpoint', but Spark's settings begin with"
            + " 'spark.'; Hadoop's are given as 'spark.hadoop.' and their name.",
        "--lora=none=x | --lora names an adapter 'none'; call it by letters, digits, dots, dashes"
            + " and underscores, and not 'none'.",
        "--lora=a+b=x | --lora names an adapter 'a+b'; call it by letters, digits, dots, dashes and"
            + " underscores, and not 'none'.",
        "--width=wide | Invalid value for option '--width': 'wide' is not an int",
      })
  void aBadValueIsRefusedBeforeSparkStarts(String option, String sentence) {
    RunningLightmill run = RunningLightmill.of("generate", "--input=a", "--output=b", option);
    assertThat(run.err()).startsWith("lightmill: " + sentence + System.lineSeparator());
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @Test
  void aColumnWithoutAnEqualsSignIsRefused() {
    RunningLightmill run =
        RunningLightmill.of("generate", "--input=a", "--output=b", "--column=prompt");
    assertThat(run.err()).contains("'--column'", "KEY=VALUE", "but was prompt");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @Test
  void aMissingTableOrOutputIsNamed() {
    assertThat(RunningLightmill.of("generate", "--output=b").err())
        .startsWith("lightmill: No prompt table is given: name one with --input");
    RunningLightmill run = RunningLightmill.of("generate", "--input=a");
    assertThat(run.err()).startsWith("lightmill: No output is given: name a directory with");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }
}
