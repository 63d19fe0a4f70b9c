package io.lightmill.pipeline.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All options of the scheduler against the tables that diffusers' scheduler wrote. */
class SchedulerTablesTest {

  private static final Path REFERENCE = Path.of("src/test/resources/reference");
  private static final Path FILE = REFERENCE.resolve("scheduler_tables.json");
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir Path temporary;

  @TestFactory
  List<DynamicTest> everyTableHolds() {
    return SchedulerTables.read(FILE).tables().stream()
        .map(
            table ->
                DynamicTest.dynamicTest(
                    "%s, %d steps".formatted(table.note(), table.numInferenceSteps()),
                    () ->
                        assertThat(table.compare()).satisfies(c -> assertThat(c.holds()).isTrue())))
        .toList();
  }

  @Test
  void theTablesAreComplete() {
    List<SchedulerTable> tables = SchedulerTables.read(FILE).tables();
    assertThat(tables).hasSize(100);
    assertThat(tables).anyMatch(table -> Float.isNaN(table.recorded()[0]));
  }

  @Test
  void theReportHasARowForEachNote() {
    List<Comparison> rows = new ArrayList<>();
    SchedulerTables.near(REFERENCE.resolve("flux-dev")).orElseThrow().run(rows::add);
    assertThat(rows).hasSize(41).allMatch(Comparison::holds);
    assertThat(rows).extracting(Comparison::caseName).containsOnly("scheduler");
  }

  @Test
  void tablesAreFoundBesideTheReferenceAndAboveIt() throws IOException {
    Path reference = Files.createDirectories(temporary.resolve("a/b"));
    assertThat(SchedulerTables.near(reference)).isEmpty();
    Files.copy(FILE, temporary.resolve("a/scheduler_tables.json"));
    assertThat(SchedulerTables.near(reference).orElseThrow().tables()).hasSize(100);
    write(reference, first());
    assertThat(SchedulerTables.near(reference).orElseThrow().tables()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"/sigmas/0", "/timesteps/0", "/sigma_min", "/sigma_max"})
  void aValueThatIsOffFails(String pointer) throws IOException {
    ObjectNode table = first();
    double value = table.at(pointer).asDouble();
    replace(table, pointer, value * (1 + 5e-7));
    Comparison comparison = SchedulerTables.read(write(temporary, table)).tables().get(0).compare();
    assertThat(comparison.holds()).isFalse();
    assertThat(comparison.difference()).isBetween(4e-7, 6e-7);
  }

  @Test
  void nanWhereTheSchedulerHasANumberFails() throws IOException {
    ObjectNode table = first();
    table.withArray("sigmas").remove(0);
    table.withArray("sigmas").insert(0, "nan");
    Comparison comparison = SchedulerTables.read(write(temporary, table)).tables().get(0).compare();
    assertThat(comparison.holds()).isFalse();
    assertThat(comparison.difference()).isInfinite();
  }

  @Test
  void theRowOfANoteIsItsWorstTable() throws IOException {
    ObjectNode off = first();
    replace(off, "/sigma_max", 1.5);
    ObjectNode file = MAPPER.createObjectNode();
    file.putArray("tables").add(first()).add(off).add(first());
    Path path = temporary.resolve("scheduler_tables.json");
    MAPPER.writeValue(path.toFile(), file);
    List<Comparison> rows = new ArrayList<>();
    SchedulerTables.read(path).run(rows::add);
    assertThat(rows).hasSize(1).noneMatch(Comparison::holds);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {}                                                        | holds no tables
          {"tables": [{"num_inference_steps": 1}]}                  | tables[0] is no schedule
          {"tables": [{"num_inference_steps": 1, "config": {}, "input_sigmas": "own", \
          "sigmas": [1, 0], "timesteps": [1000]}]}                  | tables[0] is no schedule
          {"tables": [{"num_inference_steps": 1, "config": {}, "input_sigmas": "none", \
          "sigmas": [1], "timesteps": [1000]}]}                     | tables[0] is no schedule
          """,
      quoteCharacter = '`')
  void aFileOfSomethingElseIsRefused(String json, String message) throws IOException {
    Path file = Files.writeString(temporary.resolve("tables.json"), json);
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> SchedulerTables.read(file))
        .withMessageStartingWith(file.toString())
        .withMessageContaining(message)
        .matches(e -> e.code() == ErrorCode.INPUT_INVALID);
  }

  private static ObjectNode first() throws IOException {
    return (ObjectNode) MAPPER.readTree(FILE.toFile()).at("/tables/0");
  }

  private static void replace(ObjectNode table, String pointer, double value) {
    String[] path = pointer.substring(1).split("/", -1);
    JsonNode parent = table.path(path[0]);
    if (parent.isArray()) {
      table
          .withArray(path[0])
          .set(Integer.parseInt(path[1]), MAPPER.getNodeFactory().numberNode(value));
    } else {
      table.put(path[0], value);
    }
  }

  private static Path write(Path directory, JsonNode table) throws IOException {
    ObjectNode file = MAPPER.createObjectNode();
    file.putArray("tables").add(table);
    Path path = directory.resolve("scheduler_tables.json");
    MAPPER.writeValue(path.toFile(), file);
    return path;
  }
}
