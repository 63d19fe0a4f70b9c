package io.lightmill.udfs.hosted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.classify.ClassifierCases;
import io.lightmill.pipeline.hosted.StubEndpoint;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.estimate.PlanReport;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.report.RunEnd;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunPlan;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs with a hosted model, from a table to the manifest, against a stub endpoint. */
class HostedRunTest {

  @TempDir Path directory;

  private StubEndpoint endpoint;
  private final List<String> notices = new CopyOnWriteArrayList<>();

  @BeforeEach
  void start() throws IOException {
    endpoint = new StubEndpoint();
    Path key = Files.writeString(directory.resolve("key"), StubEndpoint.KEY);
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
  }

  @AfterEach
  void stop() throws IOException {
    endpoint.close();
  }

  private GenerationOptions options(String name, String... more) {
    Map<String, String> options = new HashMap<>();
    options.put("checkpoint", endpoint.foundry());
    options.put("input", directory.resolve("prompts.csv").toString());
    options.put("output", directory.resolve("out").toString());
    options.put("run-id", name);
    options.put("credential-file", directory.resolve("key").toString());
    options.put("price-per-million-input-tokens", "5");
    options.put("price-per-million-output-tokens", "19.5");
    options.put("width", "768");
    options.put("height", "768");
    for (int i = 0; i < more.length; i += 2) {
      options.put(more[i], more[i + 1]);
    }
    return GenerationOptions.parse(options);
  }

  private RunResult run(String name, String... more) {
    return GenerationRun.execute(
        TestSpark.session(),
        Optional.empty(),
        options(name, more),
        new RunListener() {
          @Override
          public void notice(String sentence) {
            notices.add(sentence);
          }
        });
  }

  private void table(String... lines) throws IOException {
    Files.write(directory.resolve("prompts.csv"), List.of(lines));
  }

  private static Map<String, Row> rows(RunResult run) {
    return run.manifest().collectAsList().stream()
        .collect(Collectors.toMap(row -> row.getAs("id"), row -> row));
  }

  private static Map<String, String> statuses(RunResult run) {
    return rows(run).entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, row -> row.getValue().getAs("status")));
  }

  private List<String> requested() {
    return endpoint.requests.stream().map(StubEndpoint.Seen::prompt).sorted().toList();
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve("out"))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void everyRowHasItsResultAndNoneIsPaidTwice() throws IOException {
    endpoint.reacting(
        (prompt, attempt) ->
            switch (prompt) {
              case "busy" ->
                  attempt == 1
                      ? StubEndpoint.error(429, "{}", "Retry-After: 0")
                      : StubEndpoint.picture();
              case "filtered" ->
                  attempt == 1
                      ? StubEndpoint.error(
                          400,
                          "{\"error\":{\"code\":\"content_filter\",\"message\":\"no\",\"innererror\":{\"content_filter_result\":{\"violence\":{\"filtered\":true,\"severity\":\"medium\"}}}}}")
                      : StubEndpoint.picture();
              case "lost" -> attempt == 1 ? StubEndpoint.reset() : StubEndpoint.picture();
              case "broken" -> attempt == 1 ? StubEndpoint.base64("%") : StubEndpoint.picture();
              default -> StubEndpoint.picture();
            });
    table(
        "id,prompt,seed,width",
        "a,a red mug,7,",
        "b,busy,,",
        "c,filtered,,",
        "d,lost,,",
        "e,broken,,",
        "f,too small,,512");

    RunResult first = run("first");

    Map<String, Row> rows = rows(first);
    assertThat(statuses(first))
        .isEqualTo(
            Map.of(
                "a",
                "generated",
                "b",
                "generated",
                "c",
                "blocked",
                "d",
                "uncertain",
                "e",
                "failed",
                "f",
                "invalid"));
    assertThat(rows.get("f").<String>getAs("error_message")).contains("less than the 768 pixels");
    assertThat(requested())
        .containsExactly("a red mug", "broken", "busy", "busy", "filtered", "lost");
    Row image = rows.get("a");
    double price = (10 * 5 + 576 * 19.5) / 1e6;
    assertThat(image.<Double>getAs("cost")).isEqualTo(price);
    assertThat(image.<Boolean>getAs("reproducible")).isFalse();
    assertThat(image.<String>getAs("device")).isEqualTo("hosted");
    for (String unsent : List.of("seed", "seed_used", "num_inference_steps", "guidance_scale")) {
      assertThat(image.<Object>getAs(unsent)).as(unsent).isNull();
    }
    assertThat(rows.get("c").<String>getAs("verdict_stage")).isEqualTo("provider");
    assertThat(rows.get("c").<String>getAs("verdict_category")).isEqualTo("violence");
    assertThat(rows.get("c").<String>getAs("error_code")).isEqualTo("PROVIDER_BLOCKED");
    assertThat(rows.get("d").<String>getAs("error_code")).isEqualTo("PROVIDER_ANSWER_LOST");
    assertThat(rows.get("e").<String>getAs("error_code")).isEqualTo("PROVIDER_ANSWER_INVALID");
    assertThat(rows.get("e").<Double>getAs("cost")).isPositive();
    assertThat(notices).singleElement().asString().contains("column 'seed'");
    assertThat(first.summary().end(Optional.empty())).isEqualTo(RunEnd.ROWS_FAILED);
    JsonNode record =
        new ObjectMapper().readTree(directory.resolve("out/runs/first.json").toFile());
    assertThat(record.at("/hosted/requests").asInt()).isEqualTo(6);
    assertThat(record.at("/hosted/cost").asDouble()).isBetween(2.9 * price, 3.1 * price);
    assertThat(record.at("/hosted/uncertain_cost").asDouble()).isPositive();
    byte[] file = Files.readAllBytes(directory.resolve("out/" + image.<String>getAs("path")));
    assertThat(ImageReceiptReader.identity(file).orElseThrow())
        .contains("\"reproducible\":false", "\"variation\":7")
        .doesNotContain("num_inference_steps");
    assertThat(directory.resolve("out/requests")).as("open requests").doesNotExist();
    assertThat(first.contactSheet()).isPresent();
    assertThat(first.problems()).isEmpty();
    noFileHasTheKey();

    RunResult again = run("again");

    assertThat(statuses(again))
        .isEqualTo(
            Map.of(
                "a",
                "reused",
                "b",
                "reused",
                "c",
                "blocked",
                "d",
                "uncertain",
                "e",
                "generated",
                "f",
                "invalid"));
    assertThat(requested()).hasSize(7);
    assertThat(rows(again).get("c").<String>getAs("verdict_category")).isEqualTo("violence");

    RunResult wanted = run("wanted", "retry-uncertain", "true", "retry-blocked", "true");

    assertThat(wanted.counts())
        .isEqualTo(
            Map.of(ImageStatus.GENERATED, 2L, ImageStatus.REUSED, 3L, ImageStatus.INVALID, 1L));
    assertThat(requested()).hasSize(9);
    assertThat(endpoint.successes().values()).as("images that were paid").allMatch(n -> n <= 2);
    assertThat(run("last").counts().get(ImageStatus.REUSED)).isEqualTo(5);
    assertThat(requested()).hasSize(9);
  }

  private void noFileHasTheKey() throws IOException {
    for (Path file : files()) {
      assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
          .as(file.toString())
          .doesNotContain(StubEndpoint.KEY);
    }
    Map<String, String> settings = new HashMap<>();
    for (scala.Tuple2<String, String> each :
        TestSpark.session().sparkContext().getConf().getAll()) {
      settings.put(each._1(), each._2());
    }
    assertThat(settings.toString()).doesNotContain(StubEndpoint.KEY);
  }

  @Test
  void theMaximumCostIsNotExceededAndTheRestIsDrawnLater() throws IOException {
    List<String> lines = new ArrayList<>(List.of("prompt"));
    for (int i = 0; i < 6; i++) {
      lines.add("mug " + i);
    }
    table(lines.toArray(String[]::new));

    PlanReport plan =
        RunPlan.of(
            TestSpark.session(),
            Optional.empty(),
            options("plan", "credential-file", directory.resolve("no key yet").toString()),
            RunPlan.Speed.MEASURED,
            RunListener.NONE);
    assertThat(plan.lines())
        .contains("  costs 0.067 at 5 per million input tokens, 19.5 per million output tokens");
    assertThat(plan.images().toDraw()).isEqualTo(6);
    assertThat(endpoint.requests).as("a plan sends nothing").isEmpty();

    RunResult first = run("first", "max-cost", "0.035", "unsent-values", "invalid");

    assertThat(first.counts())
        .isEqualTo(Map.of(ImageStatus.GENERATED, 3L, ImageStatus.PENDING, 3L));
    assertThat(first.record().hosted().cost()).isLessThan(0.035);
    assertThat(first.summary().end(Optional.empty())).isEqualTo(RunEnd.STOPPED);
    assertThat(notices).singleElement().asString().contains("maximum cost of 0.035 is reached");
    assertThat(endpoint.requests).hasSize(3);

    assertThat(run("second", "max-cost", "1").counts())
        .isEqualTo(Map.of(ImageStatus.GENERATED, 3L, ImageStatus.REUSED, 3L));
    assertThat(endpoint.successes()).hasSize(6).allSatisfy((p, n) -> assertThat(n).isOne());
  }

  @Test
  void aPaidImageThatCannotBeStoredIsKeptForTheNextRun() throws IOException {
    table("id,prompt", "a,a red mug", "b,a blue mug");
    Path taken = Files.createDirectories(directory.resolve("out/images/a.png"));

    RunResult first = run("first", "path-template", "{id}");

    assertThat(statuses(first)).isEqualTo(Map.of("a", "failed", "b", "generated"));
    Row failed = rows(first).get("a");
    assertThat(failed.<String>getAs("error_code")).isEqualTo("STORE_FAILED");
    assertThat(failed.<String>getAs("error_message"))
        .contains("Is a directory", "the image is paid and kept as file:", "/staged/");
    assertThat(failed.<Double>getAs("cost")).isPositive();
    Files.delete(taken);

    RunResult second = run("second", "path-template", "{id}");

    assertThat(statuses(second)).isEqualTo(Map.of("a", "reused", "b", "reused"));
    assertThat(requested()).containsExactly("a blue mug", "a red mug");
    assertThat(taken).isRegularFile();
    assertThat(directory.resolve("out/staged")).doesNotExist();
  }

  @Test
  void eachImageOfBestOfIsRequestedAndPaid() throws IOException {
    table("id,prompt", "a,a red mug");

    RunResult run =
        run("first", "best-of", "2", "scorer", ClassifierCases.directory("clip").toString());

    Row row = rows(run).get("a");
    assertThat(row.<String>getAs("status")).isEqualTo("generated");
    assertThat(row.<Integer>getAs("draws")).isEqualTo(2);
    assertThat(row.<Double>getAs("cost")).isEqualTo(2 * (10 * 5 + 576 * 19.5) / 1e6);
    assertThat(requested()).containsExactly("a red mug", "a red mug");
  }

  @Test
  void aWrongKeyEndsTheRunWithOneRequestAtATime() throws IOException {
    Files.writeString(directory.resolve("key"), "wr0ng");
    table("id,prompt", "a,one", "b,two", "c,three", "d,four");

    RunResult run = run("first", "concurrent-requests", "1");

    assertThat(run.counts()).isEqualTo(Map.of(ImageStatus.PENDING, 3L, ImageStatus.FAILED, 1L));
    assertThat(endpoint.requests).hasSize(1);
    assertThat(notices).singleElement().asString().contains("HTTP 401").doesNotContain("wr0ng");
  }

  @Test
  void valuesThatAreNotSentMakeRowsInvalidWhereThatIsWanted() throws IOException {
    table("id,prompt,seed,negative_prompt", "a,one,7,", "b,two,-1,", "c,three,,blur");

    RunResult run =
        run(
            "first",
            "unsent-values",
            "invalid",
            "checkpoint",
            "foundry:http://127.0.0.1:1/mai/v1/images/generations#MAI-Image-2e",
            "proxy",
            "127.0.0.1:" + endpoint.port());

    assertThat(statuses(run)).isEqualTo(Map.of("a", "invalid", "b", "generated", "c", "invalid"));
    assertThat(rows(run).get("a").<String>getAs("error_message"))
        .contains("seed '7' cannot be sent to the hosted model");
    assertThat(endpoint.requests.get(0).path())
        .as("the request that the proxy got")
        .isEqualTo("http://127.0.0.1:1/mai/v1/images/generations");
    assertThat(notices).isEmpty();
  }

  @Test
  void optionsThatDoNotFitAreRefusedBeforeARequest() throws IOException {
    table("id,prompt", "a,one");
    assertThatThrownBy(() -> run("first", "dtype", "float32"))
        .hasMessageContaining("option 'dtype' has no effect on a hosted model");
    assertThatThrownBy(() -> run("first", "credential-env", "SOME_KEY"))
        .hasMessageContaining("credential-env, credential-file");
    assertThatThrownBy(() -> run("first", "checkpoint", "builtin:pocket"))
        .hasMessageContaining("is for hosted models");
    assertThatThrownBy(() -> run("first", "credential-file", directory.resolve("no").toString()))
        .hasMessageContaining("cannot be read here");
    assertThat(endpoint.requests).isEmpty();
  }
}
