package io.lightmill.udfs.playground;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.OptionRegistry;
import io.lightmill.udfs.option.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** A drawn image as what a run draws it from: the row of a table, and the job file beside it. */
final class TableTexts {

  private static final String TABLE = "prompts.csv";
  private static final String OUTPUT = "out/prompts";
  private static final int ID_DIGITS = 8;

  /** Of requests, beside what the page has given: they say how an image was made. */
  private static final List<RequestColumn<?>> ALWAYS =
      List.of(
          RequestColumns.WIDTH,
          RequestColumns.HEIGHT,
          RequestColumns.NUM_INFERENCE_STEPS,
          RequestColumns.GUIDANCE_SCALE,
          RequestColumns.SEED);

  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder()
              .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
              .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
              .build());

  private TableTexts() {}

  /**
   * Header and row of a CSV file.
   *
   * @param cells that the page has given
   * @param template whether the prompt is made from other cells
   */
  static String row(
      ImageRequest request, String imageId, Map<String, String> cells, boolean template) {
    Map<String, String> row = new LinkedHashMap<>();
    row.put(RequestColumns.ID.name(), "playground-" + imageId.substring(0, ID_DIGITS));
    row.putAll(cells);
    row.remove(RequestColumns.NUM_IMAGES_PER_PROMPT.name());
    if (template) {
      row.remove(RequestColumns.PROMPT.name());
    }
    ALWAYS.forEach(column -> row.put(column.name(), String.valueOf(column.of(request))));
    StringBuilder text = new StringBuilder();
    try (CSVPrinter csv = new CSVPrinter(text, CSVFormat.RFC4180)) {
      csv.printRecord(row.keySet());
      csv.printRecord(row.values());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // to memory
    }
    return text.toString();
  }

  /** A job file for a table with such rows. */
  static String jobFile(GenerationOptions options, Optional<String> template) {
    Map<String, Object> job = new LinkedHashMap<>();
    job.put(Options.INPUT.key(), TABLE);
    job.put(Options.OUTPUT_DIRECTORY.key(), OUTPUT);
    template.ifPresent(text -> job.put(Options.PROMPT_TEMPLATE.key(), text));
    Map<String, Object> all = options.jobFile();
    OptionRegistry.all().stream()
        .filter(options::has)
        .forEach(option -> job.putIfAbsent(option.key(), all.get(option.key())));
    job.put(ModelOptions.CHECKPOINT.key(), absolute(options.get(ModelOptions.CHECKPOINT)));
    try {
      return YAML.writeValueAsString(job);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("plain values can always be written as YAML", e);
    }
  }

  /** A path that does not depend on where the job file is. */
  private static String absolute(String location) {
    Path path = location.contains(":") ? null : Path.of(location);
    return path != null && Files.exists(path)
        ? path.toAbsolutePath().normalize().toString()
        : location;
  }
}
