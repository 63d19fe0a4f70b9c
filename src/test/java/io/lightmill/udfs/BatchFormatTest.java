package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.option.BatchImages;
import io.lightmill.udfs.option.LakehouseOptions;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run over a file in OpenAI's batch format, with results in that format. */
class BatchFormatTest {

  @TempDir Path directory;

  private static String line(String id, String url, String body) {
    return "{\"custom_id\": \"%s\", \"method\": \"POST\", \"url\": \"%s\", \"body\": %s}"
        .formatted(id, url, body);
  }

  private RunResult run(String runId, BatchImages images) throws IOException {
    String url = "/v1/images/generations";
    Path table =
        Files.write(
            directory.resolve("batch.jsonl"),
            List.of(
                line(
                    "two",
                    url,
                    "{\"model\": \"gpt-image-1\", \"prompt\": \"a mug\", \"n\": 2, \"size\":"
                        + " \"64x48\", \"quality\": \"high\", \"guidance_scale\": 2.5}"),
                line("chat", "/v1/chat/completions", "{\"messages\": []}"),
                line("huge", url, "{\"prompt\": \"a jug\", \"size\": \"wide\"}"),
                line("plain", url, "{\"prompt\": \"a cup\", \"size\": \"auto\", \"n\": null}"),
                "{\"custom_id\": \"cut",
                line("broken", url, "{\"prompt\": \"a broken pot\"}")));
    SolidColorPipeline pipeline =
        new SolidColorPipeline()
            .failing(
                batch -> {
                  if (batch.stream().anyMatch(it -> it.prompt().contains("broken"))) {
                    throw new IllegalStateException("no pots");
                  }
                });
    return new TestJob(table, directory.resolve("out"))
        .option(LakehouseOptions.BATCH_OUTPUT, directory.resolve("results").toString())
        .option(LakehouseOptions.BATCH_IMAGES, images)
        .runId(runId)
        .run(pipeline);
  }

  @Test
  void requestsAreRowsAndResultsAreLines() throws IOException {
    RunResult result = run("one", BatchImages.URL);
    assertThat(result.problems()).isEmpty();
    List<Row> rows =
        result
            .manifest()
            .select(
                "id", "variant", "status", "width", "guidance_scale", "quality", "requested_model")
            .orderBy("id", "variant")
            .collectAsList();
    assertThat(rows)
        .hasToString(
            "[[null,0,invalid,null,null,null,null], [broken,0,failed,32,3.5,null,null],"
                + " [chat,0,invalid,null,null,null,null], [huge,0,invalid,null,null,null,null],"
                + " [plain,0,generated,32,3.5,null,null],"
                + " [two,0,generated,64,2.5,high,gpt-image-1],"
                + " [two,1,generated,64,2.5,high,gpt-image-1]]");

    List<JsonNode> results = lines("output.jsonl");
    assertThat(results).extracting(it -> it.path("custom_id").asText()).contains("two", "plain");
    JsonNode two = line(results, "two");
    assertThat(two.path("id").asText()).matches("batch_req_[0-9a-f]{24}");
    assertThat(two.path("error").isNull()).isTrue();
    assertThat(two.path("response").path("status_code").asInt()).isEqualTo(200);
    JsonNode body = two.path("response").path("body");
    assertThat(body.path("size").asText()).isEqualTo("64x48");
    assertThat(body.path("data")).hasSize(2);
    for (JsonNode image : body.path("data")) {
      assertThat(Path.of(URI.create(image.path("url").asText()))).isRegularFile();
    }

    List<JsonNode> errors = lines("errors.jsonl");
    assertThat(errors).hasSize(4);
    assertError(line(errors, "chat"), 400, "line 2 of '", "has the url '/v1/chat/completions'");
    assertError(line(errors, "huge"), 400, "line 3 of '", "has the size 'wide'");
    assertError(line(errors, "broken"), 500, "no pots");
    assertError(line(errors, "null"), 400, "line 5 of '", "is not a JSON object");

    assertThat(run("two", BatchImages.B64_JSON).counts()).containsEntry(ImageStatus.REUSED, 3L);
    JsonNode image =
        line(lines("output.jsonl"), "plain").path("response").path("body").path("data");
    byte[] bytes = Base64.getDecoder().decode(image.get(0).path("b64_json").asText());
    assertThat(new String(bytes, 1, 3, StandardCharsets.US_ASCII)).isEqualTo("PNG");
  }

  private static void assertError(JsonNode line, int status, String... message) {
    JsonNode response = line.path("response");
    assertThat(response.path("status_code").asInt()).isEqualTo(status);
    assertThat(response.path("body").path("error").path("message").asText()).contains(message);
  }

  private static JsonNode line(List<JsonNode> lines, String id) {
    return lines.stream()
        .filter(it -> it.path("custom_id").asText().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private List<JsonNode> lines(String file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(directory.resolve("results").resolve(file))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }
}
