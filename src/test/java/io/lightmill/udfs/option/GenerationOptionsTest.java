package io.lightmill.udfs.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.DeviceChoice;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GenerationOptionsTest {

  @Test
  void defaultsHoldWhereNothingIsGiven() {
    GenerationOptions options = GenerationOptions.parse(Map.of());
    assertThat(options).isEqualTo(GenerationOptions.EMPTY);
    assertThat(options.get(ModelOptions.CHECKPOINT)).isEqualTo("builtin:pocket");
    assertThat(options.get(Options.FORMAT)).isEqualTo(ImageFormat.PNG);
    assertThat(options.get(Options.SINK)).isEqualTo(Sink.FILES);
    assertThat(options.find(ModelOptions.BATCH_SIZE)).isEmpty();
    assertThat(options.get(ModelOptions.OFFLOAD_CHUNK)).isEqualTo(64);
    assertThat(options.get(ModelOptions.THREADS_PER_IMAGE)).isEqualTo(1);
    assertThat(options.get(ModelOptions.DEVICE)).isEqualTo(DeviceChoice.AUTO);
    assertThat(options.get(Options.SEED)).isZero();
    assertThat(options.get(Options.RETRY_FAILED)).isTrue();
    assertThat(options.get(Options.FORCE)).isFalse();
    assertThat(options.get(ModelOptions.OFFLOAD)).isFalse();
    assertThat(options.get(Options.TRUNCATE_PROMPTS)).isFalse();
    assertThat(options.shardSize()).isEqualTo(1000);
    assertThat(options.find(ModelOptions.DTYPE)).isEmpty();
    assertThat(options.find(Options.DEADLINE)).isEmpty();
    assertThat(options.entries(ModelOptions.LORA)).isEmpty();
    assertThat(options.columnDefaults()).isEmpty();
  }

  @Test
  void valuesHaveTheirTypes() {
    GenerationOptions options =
        GenerationOptions.parse(
            Map.of(
                "dtype", "BFloat16",
                "deadline", "7h30m",
                "sink", "webdataset",
                "shard-size", "500",
                "seed", "-9007199254740993",
                "force", "TRUE",
                "retry-failed", "false",
                "guidance-scale", "3.50"));
    assertThat(options.find(ModelOptions.DTYPE)).contains(DType.BF16);
    assertThat(options.find(Options.DEADLINE)).contains(Duration.ofMinutes(450));
    assertThat(options.get(Options.SINK)).isEqualTo(Sink.WEBDATASET);
    assertThat(options.shardSize()).isEqualTo(500);
    assertThat(options.get(Options.SEED)).isEqualTo(-9007199254740993L);
    assertThat(options.get(Options.FORCE)).isTrue();
    assertThat(options.get(Options.RETRY_FAILED)).isFalse();
    assertThat(options.columnDefaults()).isEqualTo(Map.of("guidance_scale", "3.50"));
  }

  @Test
  void keysMayHaveUnderscoresAndCapitals() {
    assertThat(GenerationOptions.parse(Map.of("Batch_Size", "3", "NUM-inference_steps", "4")))
        .isEqualTo(GenerationOptions.parse(Map.of("batch-size", "3", "num-inference-steps", "4")));
  }

  @Test
  void mapsTakeEntriesAndLists() {
    GenerationOptions options =
        GenerationOptions.parse(
            Map.of(
                "column.prompt", "caption, long",
                "column", "id=sku,seed=noise",
                "lora.Brand", "s3a://bucket/a=b,c=d.safetensors"));
    assertThat(options.entries(Options.COLUMN))
        .isEqualTo(Map.of("prompt", "caption, long", "id", "sku", "seed", "noise"));
    assertThat(options.entries(ModelOptions.LORA))
        .isEqualTo(Map.of("Brand", "s3a://bucket/a=b,c=d.safetensors"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "widht | 3 | there is no option 'widht'; did you mean 'width'?",
        "width.a | 3 | there is no option 'width.a'; did you mean 'width'?",
        "batch-size | 0 | option 'batch-size' is '0', but must be a whole number of at least 1",
        "limit | many | option 'limit' is 'many', but must be a whole number of at least 1",
        "max-failures | -1 | option 'max-failures' is '-1', but must be a whole number of at least"
            + " 0",
        "seed | 1.5 | option 'seed' is '1.5', but must be a whole number",
        "force | yes | option 'force' is 'yes', but must be true or false",
        "deadline | soon | option 'deadline' is 'soon', but must be a time such as 90s, 55m or"
            + " 7h30m",
        "deadline | 0m | option 'deadline' is '0m', but must be a time such as 90s, 55m or 7h30m",
        "run-id | ../up | option 'run-id' is '../up', but must be at most 100 letters, digits,"
            + " dots, dashes and underscores that begin with a letter or a digit, and neither"
            + " 'latest' nor end in .attempt-N",
        "sink | zip | option 'sink' is 'zip', but must be one of files, webdataset, parquet",
        "format | gif | option 'format' is 'gif', but must be one of png, jpeg, webp",
        "dtype | int8 | option 'dtype' is 'int8', but must be one of float32, bfloat16, float16",
        "device | tpu | option 'device' is 'tpu', but must be one of auto, cpu, cuda; did you mean"
            + " 'cpu'?",
        "column | prompt | option 'column' is 'prompt', but must be entries such as prompt=caption",
        "lora.none | x | option 'lora' is 'none=', but must be name=file entries with names of"
            + " letters, digits, dots, dashes and underscores, and not 'none'",
        "lora.a+b | x | option 'lora' is 'a+b=', but must be name=file entries with names of"
            + " letters, digits, dots, dashes and underscores, and not 'none'",
        "shard-size | 5 | option 'shard-size' is 5, but the sink 'files' has no shards; remove it,"
            + " or set 'sink' to webdataset or parquet",
        "master | local | option 'master' sets up a Spark session, and this run has one; leave it"
            + " out",
        "conf.spark.ui.enabled | true | option 'conf.spark.ui.enabled' sets up a Spark session, and"
            + " this run has one; leave it out",
      })
  void aBadOptionIsRefusedWithItsKey(String key, String value, String message) {
    assertThatThrownBy(() -> GenerationOptions.parse(Map.of(key, value)))
        .isInstanceOf(LightmillException.class)
        .hasMessage(message)
        .extracting(e -> ((LightmillException) e).code())
        .isEqualTo(ErrorCode.CONFIGURATION_INVALID);
  }

  @Test
  void anOptionThatIsGivenTwiceIsRefused() {
    assertThatThrownBy(() -> GenerationOptions.parse(Map.of("batch-size", "1", "batch_size", "2")))
        .hasMessage("option 'batch-size' is given twice; remove one");
  }

  @Test
  void aSettingOfTheSessionMustBeSparks() {
    assertThat(
            GenerationOptions.parseWithSession(Map.of("conf.spark.Ui", "a=b,c=d"))
                .entries(SparkOptions.CONF))
        .isEqualTo(Map.of("spark.Ui", "a=b,c=d"));
    assertThatThrownBy(() -> GenerationOptions.parseWithSession(Map.of("conf.fs.s3a", "x")))
        .hasMessageContaining("begin with 'spark.'");
  }

  @Test
  void aMessageShowsNoSecret() {
    assertThatThrownBy(
            () -> GenerationOptions.parseWithSession(Map.of("conf", "fs.s3a.secret.key=hidden")))
        .hasMessageStartingWith("option 'conf' is '" + Redaction.REDACTED + "', but must be ");
  }

  @Test
  void aMissingOptionIsNamed() {
    assertThatThrownBy(() -> GenerationOptions.EMPTY.get(Options.INPUT))
        .isInstanceOf(LightmillException.class)
        .hasMessage("option 'input' is missing; give a table (--input, or 'input' in a job file)");
  }

  @Test
  void aChangeLeavesTheOriginal() {
    GenerationOptions one = GenerationOptions.EMPTY.with(ModelOptions.BATCH_SIZE, 3);
    GenerationOptions two = one.with(ModelOptions.BATCH_SIZE, 4);
    assertThat(one.get(ModelOptions.BATCH_SIZE)).isEqualTo(3);
    assertThat(two.get(ModelOptions.BATCH_SIZE)).isEqualTo(4);
    assertThat(two.without(ModelOptions.BATCH_SIZE)).isEqualTo(GenerationOptions.EMPTY);
  }

  @Test
  void aRunIdIsMadeOfTheTimeUnlessGiven() {
    Instant now = Instant.parse("2026-03-04T05:06:07Z");
    GenerationOptions named = GenerationOptions.EMPTY.named(now);
    assertThat(named.get(Options.RUN_ID)).matches("20260304T050607Z-[a-z0-9]{4}");
    assertThat(named.named(now)).isEqualTo(named);
    assertThat(GenerationOptions.EMPTY.named(now)).isNotEqualTo(named);
  }

  @Test
  void everyKeyIsUniqueAndItsDefaultCanBeReadAgain() {
    assertThat(OptionRegistry.all().stream().map(Option::key).collect(Collectors.toSet()))
        .hasSameSizeAs(OptionRegistry.all());
    OptionRegistry.all().forEach(GenerationOptionsTest::readAgain);
  }

  private static <T> void readAgain(Option<T> option) {
    option
        .fallback()
        .ifPresent(
            value ->
                assertThat(option.read(option.type().plain(value).toString()))
                    .as(option.key())
                    .isEqualTo(value));
  }

  @Test
  void optionsOfASectionStandTogetherInTheHelp() {
    List<OptionGroup> sections =
        OptionRegistry.all().stream().<OptionGroup>map(Option::group).toList();
    assertThat(sections).isSorted();
  }
}
