package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.history.CommittedManifest;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.run.Generation;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.store.ImageStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * A run that {@code df.write.format("lightmill")} starts. An output exists once it has a committed
 * manifest. A killed run leaves none, and every mode resumes it.
 */
final class WrittenOutput {

  private static final String PATH = "path";

  private WrittenOutput() {}

  /**
   * Draws the images of the rows.
   *
   * @param mode append reuses the images of the output and draws the others, overwrite draws every
   *     image again, errorifexists refuses an output that exists, ignore does nothing if it exists
   * @param options of the run, with the output as {@code path}
   * @return the output
   * @throws LightmillException with {@code CONFIGURATION_INVALID} before anything is drawn, and
   *     with {@code GENERATION_FAILED} after the commit, as {@link RunOutcome#require} says
   */
  static String write(
      SparkSession spark, SaveMode mode, Map<String, String> options, Dataset<Row> rows) {
    Map<String, String> run = new LinkedHashMap<>(options);
    run.keySet().removeIf(key -> key.toLowerCase(Locale.ROOT).equals(PATH));
    String output = output(options);
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    if (mode == SaveMode.Ignore || mode == SaveMode.ErrorIfExists) {
      List<CommittedManifest> committed =
          CommittedManifest.of(
              ImageStore.open(output, hadoop).listing().objects(Manifest.DIRECTORY));
      if (!committed.isEmpty() && mode == SaveMode.Ignore) {
        return output;
      }
      if (!committed.isEmpty()) {
        throw invalid(
            ("output '%s' exists: it has %d committed manifests; write with mode append to draw"
                    + " the missing images, or overwrite to draw every image again")
                .formatted(output, committed.size()));
      }
    }
    Generation described = Generation.on(spark).prompts(rows).options(run).output(output);
    RunResult result =
        (mode == SaveMode.Overwrite ? described.option("force", true) : described).execute();
    RunOutcome.require(result, output, GenerationOptions.parse(run).find(Options.MAX_FAILURES));
    return output;
  }

  private static String output(Map<String, String> options) {
    return options.entrySet().stream()
        .filter(option -> option.getKey().toLowerCase(Locale.ROOT).equals(PATH))
        .map(Map.Entry::getValue)
        .filter(path -> !path.isBlank())
        .findFirst()
        .orElseThrow(
            () ->
                invalid(
                    "format lightmill writes to one output; name its directory, as in"
                        + " save(\"s3a://bucket/campaign\")"));
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
