package io.lightmill.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Job files. What is read are options, and what they say can be printed. */
public final class JobFileFuzz implements FuzzTarget {

  private final Path file = FuzzTarget.directory().resolve("job.yaml");

  private Map<String, String> read() {
    JobFile job = JobFile.read(file);
    return job.values(new Placeholders(Placeholders.date("2026-11-26"), job.variables()));
  }

  @Override
  public void run(byte[] input) {
    FuzzTarget.write(file, input);
    try {
      Map<String, String> values = read();
      FuzzTarget.require(values.equals(read()), "a file is read the same way twice");
      values.forEach(GenerationOptions::check);
      GenerationOptions.parse(values);
    } catch (LightmillException e) {
      FuzzTarget.require(e.getMessage().length() < MOST_MESSAGE, "a message is short");
    }
  }

  @Override
  public List<byte[]> seeds() {
    return List.of(
        """
        input: /data/prompts.csv
        output: out
        prompt-template: "{name}: 100 % {color}"
        column: {prompt: caption text, id: sku}
        limit: 3
        guidance-scale: 3.50
        truncate-prompts: true
        format: jpeg
        seed: 12345678901
        """
            .getBytes(UTF_8),
        "variables: {region: eu}\ninput: s3a://b/{region}/{date-1d:yyyy}\noutput: out\n"
            .getBytes(UTF_8),
        "input: a.csv\noutput: out\ncheckpoint: a/b\npath-template: '{id}/{image_id}'\ncolumn:\n  - prompt=a\n"
            .getBytes(UTF_8));
  }
}
