package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Schedules that diffusers' {@code FlowMatchEulerDiscreteScheduler} computed under many configs:
 * {@code scheduler_tables.json}.
 *
 * @param tables in the order of the file
 */
public record SchedulerTables(List<SchedulerTable> tables) {

  private static final String FILE = "scheduler_tables.json";

  public SchedulerTables {
    tables = List.copyOf(tables);
  }

  /**
   * The tables in the directory of a reference, or in the directory above, which several references
   * share; empty if there are none.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if they cannot be read
   */
  public static Optional<SchedulerTables> near(Path reference) {
    Path directory = reference.toAbsolutePath().normalize();
    return Stream.of(directory.resolve(FILE), directory.resolveSibling(FILE))
        .filter(Files::exists)
        .findFirst()
        .map(SchedulerTables::read);
  }

  /**
   * Reads a file of tables.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if it holds none
   */
  public static SchedulerTables read(Path file) {
    List<SchedulerTable> tables = new ArrayList<>();
    for (JsonNode table : ComponentConfig.read(file).json().path("tables")) {
      tables.add(SchedulerTable.of(file, tables.size(), table));
    }
    if (tables.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID, "%s holds no tables; record some or remove it".formatted(file));
    }
    return new SchedulerTables(tables);
  }

  /**
   * Compares all tables.
   *
   * @param each receives one comparison for all tables of a note: the worst of them
   */
  public void run(Consumer<Comparison> each) {
    Map<String, Comparison> byNote = new LinkedHashMap<>();
    tables.forEach(table -> byNote.merge(table.note(), table.compare(), Comparison::worse));
    byNote.values().forEach(each);
  }
}
