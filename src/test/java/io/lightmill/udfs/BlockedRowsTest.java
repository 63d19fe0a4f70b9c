package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.report.RunEnd;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows whose prompt the policy blocks or flags, from the table to the reports. */
class BlockedRowsTest {

  private static final String[] TABLE = {
    "id,prompt,revises", "1,a red mug,", "2,a cursed mug,", "3,an acme mug,", "4,a blue mug,2"
  };

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  private TestJob job(String runId, String policy) throws IOException {
    return TestJob.in(directory, List.of(TABLE)).runId(runId).option(CheckOptions.POLICY, policy);
  }

  private String policy(String name, String blocked) throws IOException {
    return Files.writeString(
            directory.resolve(name),
            """
            categories:
              curses:
                action: block
                severity: high
                terms: [%s]
              brands:
                action: flag
                terms: [acme]
            """
                .formatted(blocked))
        .toString();
  }

  private static Map<String, Row> rows(RunResult run) {
    return run.manifest().collectAsList().stream()
        .collect(Collectors.toMap(row -> row.<String>getAs("id"), Function.identity()));
  }

  private List<String> prompts() {
    return pipeline.batches.stream().flatMap(List::stream).map(each -> each.prompt()).toList();
  }

  @Test
  void aBlockedRowIsAResultAndIsNotDrawn() throws IOException {
    RunResult run = job("first", policy("policy.yaml", "cursed")).run(pipeline);

    assertThat(run.summary().labelled()).isEqualTo(Map.of("generated", 3L, "blocked", 1L));
    assertThat(run.summary().end(Optional.empty())).isEqualTo(RunEnd.SUCCEEDED);
    assertThat(run.summary().verdictLines())
        .containsExactly(
            "1 image is blocked by the policy (curses 1): see the column 'verdict' of the manifest",
            "1 image is flagged by the policy (brands 1): see the column 'verdict' of the"
                + " manifest");
    assertThat(prompts()).containsExactlyInAnyOrder("a red mug", "an acme mug", "a blue mug");

    Row blocked = rows(run).get("2");
    assertThat(blocked.<String>getAs("status")).isEqualTo("blocked");
    assertThat(blocked.<String>getAs("error_code")).isEqualTo("PROMPT_BLOCKED");
    assertThat(blocked.<String>getAs("error_message"))
        .isEqualTo(
            "row id=2: prompt is blocked by the policy: category curses, rule 'cursed'; reword it"
                + " as a new row, or change the policy");
    assertThat(blocked.<String>getAs("verdict")).isEqualTo("blocked");
    assertThat(blocked.<String>getAs("verdict_stage")).isEqualTo("prompt");
    assertThat(blocked.<String>getAs("verdict_category")).isEqualTo("curses");
    assertThat(blocked.<String>getAs("verdict_severity")).isEqualTo("high");
    assertThat(blocked.<String>getAs("verdict_rule")).isEqualTo("cursed");
    assertThat(blocked.<Double>getAs("verdict_score")).isNull();
    assertThat(blocked.<String>getAs("policy_digest")).matches("[0-9a-f]{32}");
    assertThat(blocked.<String>getAs("path")).isNull();
    assertThat(blocked.<String>getAs("image_id")).isNotNull();

    Row flagged = rows(run).get("3");
    assertThat(flagged.<String>getAs("status")).isEqualTo("generated");
    assertThat(flagged.<String>getAs("verdict")).isEqualTo("flagged");
    assertThat(flagged.<String>getAs("error_code")).isNull();
    JsonNode verdicts = new JsonMapper().readTree(flagged.<String>getAs("verdicts"));
    assertThat(verdicts).hasSize(1);
    assertThat(verdicts.get(0).get("rule").asText()).isEqualTo("acme");

    Row revised = rows(run).get("4");
    assertThat(revised.<String>getAs("revises")).isEqualTo("2");
    assertThat(revised.<String>getAs("verdict")).isNull();
    assertThat(revised.<String>getAs("policy_digest")).isEqualTo(blocked.getAs("policy_digest"));

    JsonNode record = new JsonMapper().readTree(directory.resolve("out/runs/first.json").toFile());
    assertThat(record.at("/policy/digest").asText()).isEqualTo(blocked.getAs("policy_digest"));
    assertThat(record.get("verdicts").toString())
        .isEqualTo(
            "[{\"verdict\":\"blocked\",\"stage\":\"prompt\",\"category\":\"curses\",\"rows\":1},"
                + "{\"verdict\":\"flagged\",\"stage\":\"prompt\",\"category\":\"brands\",\"rows\":1}]");
    assertThat(Files.readString(directory.resolve("out/contact-sheet.html")))
        .contains("<p class=\"verdicts\">Blocked: curses 1</p>", "class=\"card blocked\"")
        .contains("flagged: brands &apos;acme&apos;");
  }

  @Test
  void itStaysBlockedUntilThePolicyChanges() throws IOException {
    job("first", policy("policy.yaml", "cursed")).run(pipeline);
    pipeline.batches.clear();

    RunResult same = job("second", policy("policy.yaml", "cursed")).run(pipeline);
    assertThat(same.summary().labelled()).isEqualTo(Map.of("reused", 3L, "blocked", 1L));
    assertThat(rows(same).get("3").<String>getAs("verdict")).isEqualTo("flagged");
    assertThat(prompts()).isEmpty();

    RunResult other = job("third", policy("other.yaml", "haunted")).run(pipeline);
    assertThat(other.summary().labelled()).isEqualTo(Map.of("generated", 1L, "reused", 3L));
    assertThat(prompts()).containsExactly("a cursed mug");
  }

  @Test
  void anImageThatANewPolicyBlocksIsNoLongerCurrent() throws IOException {
    job("first", "none").run(pipeline);

    RunResult run = job("second", policy("policy.yaml", "cursed")).run(pipeline);

    assertThat(run.summary().labelled()).isEqualTo(Map.of("reused", 3L, "blocked", 1L));
    assertThat(
            TestSpark.session()
                .read()
                .parquet(directory.resolve("out/current.parquet").toString())
                .filter("id = '2'")
                .collectAsList())
        .singleElement()
        .satisfies(
            row -> {
              assertThat(row.<String>getAs("status")).isEqualTo("blocked");
              assertThat(row.<String>getAs("path")).isNull();
            });
  }

  @Test
  void withoutAnOptionThePolicyThatShipsIsApplied() throws IOException {
    RunResult run =
        TestJob.in(directory, List.of("id,prompt", "1,a nude woman", "2,a nude lipstick"))
            .run(pipeline);

    assertThat(run.summary().verdicts().blockedAt(Verdict.Stage.PROMPT)).isEqualTo(1);
    assertThat(prompts()).containsExactly("a nude lipstick");
  }

  @Test
  void aPolicyThatCannotBeReadIsRefusedBeforeAnythingIsLoaded() throws IOException {
    TestJob missing = job("first", directory.resolve("none.yaml").toString());
    TestJob folder = job("first", directory.toString());
    TestJob wrong = job("first", policy("wrong.yaml", "a*b"));

    for (TestJob job : List.of(missing, folder, wrong)) {
      assertThatThrownBy(() -> job.run(pipeline))
          .isInstanceOfSatisfying(
              LightmillException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.POLICY_INVALID));
    }
    assertThat(pipeline.loads).hasValue(0);
    assertThat(directory.resolve("out/manifest")).doesNotExist();
  }
}
