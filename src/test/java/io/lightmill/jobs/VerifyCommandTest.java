package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On the first case of each reference. */
class VerifyCommandTest {

  private static final Path REFERENCES = Path.of("src/test/resources/reference");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temporary;
  private Path reference;

  @BeforeEach
  void firstCase() throws IOException {
    reference = Files.createDirectories(temporary.resolve("flux-dev"));
    Path recorded = REFERENCES.resolve("flux-dev");
    ObjectNode index = (ObjectNode) JSON.readTree(recorded.resolve("cases.json").toFile());
    ArrayNode first = JSON.createArrayNode().add(index.at("/cases/0"));
    index.set("cases", first);
    JSON.writeValue(reference.resolve("cases.json").toFile(), index);
    Files.copy(recorded.resolve("cases.safetensors"), reference.resolve("cases.safetensors"));
  }

  @Test
  void whatHoldsIsATableAndStatusZero() throws IOException {
    Files.copy(
        REFERENCES.resolve("scheduler_tables.json"), temporary.resolve("scheduler_tables.json"));
    RunningLightmill run = verify("flux-dev");
    assertThat(run.status()).as(run.err()).isEqualTo(ExitStatus.DONE);
    List<String> lines = run.out().lines().toList();
    assertThat(lines).hasSize(1 + 41 + 11 + 1);
    assertThat(lines.get(0)).matches("case +quantity +difference +limit");
    assertThat(lines.subList(1, 42)).allMatch(line -> line.startsWith("scheduler "));
    assertThat(lines.subList(1, 53)).allMatch(line -> line.endsWith(" ok"));
    int end = lines.get(1).length();
    assertThat(lines.subList(1, 53)).allMatch(line -> line.length() == end);
    assertThat(lines.get(42)).matches("short_1step +token ids, tokenizer, call 0 +0  equal +ok");
    assertThat(lines.get(53))
        .matches("52 comparisons, 0 failed; largest image difference \\d\\.\\de-0\\d");
  }

  @Test
  void whatFailsIsStatusThree() {
    RunningLightmill run = verify("flux-schnell");
    assertThat(run.status()).isEqualTo(ExitStatus.COMPARISONS_FAILED);
    List<String> lines = run.out().lines().toList();
    assertThat(lines).filteredOn(line -> line.endsWith(" FAIL")).hasSizeGreaterThan(4);
    assertThat(lines.get(lines.size() - 1)).matches("11 comparisons, [5-9] failed; .*");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void sixteenBitsAreTriedOnRequest() {
    RunningLightmill run = verify("flux-dev", "--dtype=bfloat16");
    assertThat(run.status()).isEqualTo(ExitStatus.COMPARISONS_FAILED);
    assertThat(run.out()).containsPattern("token ids, tokenizer_2, call 0 +0  equal +ok");
  }

  @ParameterizedTest
  @CsvSource({
    "--device=tpu, 'option ''device'' is ''tpu'', but must be cpu or cuda:N, such as cuda:0'",
    "--dtype=int8, 'option ''dtype'' is ''int8'', but must be one of float32, bfloat16, float16'",
    "--reference=nowhere, nowhere is no reference: it must hold cases.json and cases.safetensors"
  })
  void badInputIsStatusTwo(String option, String message) {
    String[] arguments =
        option.startsWith("--reference")
            ? new String[] {"verify", "--checkpoint=" + checkpoint("flux-dev"), option}
            : new String[] {
              "verify", "--checkpoint=" + checkpoint("flux-dev"), "--reference=" + reference, option
            };
    RunningLightmill run = RunningLightmill.of(arguments);
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err()).contains("lightmill: ").contains(message);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    RunningLightmill run = verify("flux-dev", "--device=cuda:9999");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err()).contains("option 'device' is 'cuda:9999', but libtorch finds ");
  }

  @Test
  void anotherPipelineIsStatusTwo() throws IOException {
    Path index = reference.resolve("cases.json");
    ObjectNode json = (ObjectNode) JSON.readTree(index.toFile());
    JSON.writeValue(index.toFile(), json.put("pipeline_class", "WhatPipeline"));
    RunningLightmill run = verify("flux-dev");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err()).contains("was recorded from a WhatPipeline");
  }

  @Test
  void aCaseThatNoRequestExpressesIsStatusTwo() throws IOException {
    Path index = reference.resolve("cases.json");
    ObjectNode json = (ObjectNode) JSON.readTree(index.toFile());
    ((ObjectNode) json.at("/cases/0/args")).put("clip_skip", 1);
    JSON.writeValue(index.toFile(), json);
    RunningLightmill run = verify("flux-dev");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err()).contains("the case 'short_1step' of the reference uses clip_skip");
  }

  @Test
  void checkpointAndReferenceAreNeeded() {
    RunningLightmill run = RunningLightmill.of("verify");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err()).contains("'--checkpoint=LOCATION'", "'--reference=DIRECTORY'");
  }

  private RunningLightmill verify(String model, String... more) {
    String[] arguments = new String[3 + more.length];
    arguments[0] = "verify";
    arguments[1] = "--checkpoint=" + checkpoint(model);
    arguments[2] = "--reference=" + reference;
    System.arraycopy(more, 0, arguments, 3, more.length);
    return RunningLightmill.of(arguments);
  }

  private static Path checkpoint(String model) {
    return REFERENCES.resolve(model).resolve("checkpoint");
  }
}
