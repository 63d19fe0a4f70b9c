package io.lightmill.udfs.option;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedactionTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "spark.hadoop.fs.s3a.access.key",
        "spark.hadoop.fs.s3a.bucket.shop.secret.key",
        "spark.hadoop.fs.s3a.session.token",
        "spark.ssl.keyStorePassword",
        "spark.redis.passwd",
        "spark.hadoop.fs.azure.account.key.shop.dfs.core.windows.net",
        "spark.hadoop.hadoop.security.credential.provider.path",
        "spark.executorEnv.HF_TOKEN",
        "spark.executorEnv.AWS_ACCESS_KEY_ID",
        "spark.executorEnv.VENDOR_API_KEY",
        "SPARK.SECRET",
        "spark.hadoop.fs.gs.auth.service.account.private.key",
        "spark.hadoop.fs.s3a.encryption.key",
        "spark.hadoop.fs.s3a.server-side-encryption.key",
        "spark.executorEnv.KEY_PASSPHRASE"
      })
  void aSettingWhoseKeyNamesASecretIsRedacted(String key) {
    assertThat(Redaction.settings(Map.of(key, "hidden")))
        .isEqualTo(Map.of(key, Redaction.REDACTED));
  }

  @Test
  void aSecretAmongJavaOptionsIsRedacted() {
    assertThat(
            Redaction.settings(
                Map.of("spark.driver.extraJavaOptions", "-Xss4m -Dstore.password=hidden")))
        .containsEntry("spark.driver.extraJavaOptions", Redaction.REDACTED);
  }

  @ParameterizedTest
  @CsvSource({
    "s3a://me:hidden@bucket/a, s3a://bucket/a",
    "http://:hidden@host:9000/a@b, http://host:9000/a@b",
    "abfss://container@account.dfs.core.windows.net/a,"
        + " abfss://container@account.dfs.core.windows.net/a",
    "/data/a@b.csv, /data/a@b.csv",
    "builtin:pocket, builtin:pocket"
  })
  void locationsLoseUserAndPasswordOnly(String uri, String redacted) {
    assertThat(Redaction.location(uri)).isEqualTo(redacted);
    assertThat(Redaction.settings(Map.of("spark.some.uri", uri)))
        .containsEntry("spark.some.uri", redacted);
  }

  @Test
  void otherSettingsAreKeptInTheOrderOfTheirKeys() {
    assertThat(Redaction.settings(Map.of("b", "2", "a", "1", "c", "3")))
        .containsExactly(Map.entry("a", "1"), Map.entry("b", "2"), Map.entry("c", "3"));
  }

  @Test
  void noOptionOfARunRecordOrJobFileHasASecret() {
    GenerationOptions options =
        GenerationOptions.parseWithSession(
            Map.of(
                "input", "s3a://me:hidden@bucket/prompts.csv",
                "output", "s3a://me:hidden@bucket/images",
                "checkpoint", "s3a://me:hidden@bucket/model",
                "conf.spark.hadoop.fs.s3a.secret.key", "hidden"));

    assertThat(options.get(SparkOptions.CONF)).containsValue("hidden");
    assertThat(options.jobFile().toString()).contains("bucket/images").doesNotContain("hidden");
    assertThat(options.toString()).doesNotContain("hidden");
  }
}
