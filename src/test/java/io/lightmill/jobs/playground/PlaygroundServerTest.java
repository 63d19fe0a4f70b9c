package io.lightmill.jobs.playground;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageMetadata;
import io.lightmill.udfs.TestTables;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.playground.Playground;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PlaygroundServerTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CELLS =
      "\"prompt\":\"a red"
          + " mug\",\"width\":\"64\",\"height\":\"64\",\"num_inference_steps\":\"2\",\"seed\":\"9223372036854775806\"";

  private final HttpClient client = HttpClient.newHttpClient();
  private Playground playground;
  private PlaygroundServer server;
  private URI address;

  @BeforeAll
  void start() {
    playground =
        Playground.open(GenerationOptions.parse(Map.of("prompt-template", "a {color} {name}")));
    server = PlaygroundServer.start(playground, "127.0.0.1", 0);
    address = URI.create(server.address());
  }

  @AfterAll
  void end() {
    server.close();
    playground.close();
  }

  @Test
  void picturesComeWithTheirStepsAndAsTheFilesOfARun() throws Exception {
    List<JsonNode> events =
        draw("{\"id\":\"1\",\"settings\":[{%s,\"num_images_per_prompt\":\"2\"}]}".formatted(CELLS));

    assertThat(events)
        .extracting(event -> event.get("event").asText())
        .containsExactly(
            "planned", "step", "step", "step", "drawn", "step", "step", "step", "drawn", "done");
    assertThat(events.get(2).get("step").asInt()).isEqualTo(1);
    JsonNode second = events.get(8);
    assertThat(second.get("seed").asText()).isEqualTo(Long.toString(Long.MAX_VALUE));
    assertThat(
            ImageMetadata.read("image", second.get("file").binaryValue()).receipt().orElseThrow())
        .contains("a red mug");
    assertThat(second.get("file").binaryValue())
        .isNotEqualTo(events.get(4).get("file").binaryValue());
    JsonNode again = draw("{\"id\":\"2\",\"settings\":[{%s}]}".formatted(CELLS)).get(4);
    assertThat(again.get("file").binaryValue()).isEqualTo(events.get(4).get("file").binaryValue());
  }

  @Test
  void theRowIsReadAsTheSameRequestByATable(@TempDir Path directory) throws Exception {
    JsonNode drawn =
        draw("{\"id\":\"1\",\"settings\":[{%s,\"sku\":\"A,1\"}]}".formatted(CELLS)).get(4);
    Path table = directory.resolve("prompts.csv");
    Files.writeString(table, drawn.get("row").asText());

    Row row = TestTables.planned(table.toString()).collectAsList().get(0);
    assertThat(row.<String>getAs("prompt")).isEqualTo("a red mug");
    assertThat(row.<Long>getAs("seed")).isEqualTo(Long.MAX_VALUE - 1);
    assertThat(row.<Integer>getAs("num_inference_steps")).isEqualTo(2);
    assertThat(row.<Row>getAs("passthrough").<String>getAs("sku")).isEqualTo("A,1");
    assertThat(drawn.get("job").asText())
        .isEqualTo(
            """
            input: prompts.csv
            output: out/prompts
            prompt-template: "a {color} {name}"
            checkpoint: builtin:pocket
            """);
  }

  @Test
  void aPromptIsMadeByATemplateFromTheCellsOfARow() throws Exception {
    List<JsonNode> events =
        draw(
            "{\"id\":\"1\",\"template\":\"a {Color} {name}\",\"settings\":[{\"color\":\"blue\",\"name\":\"mug\",%s}]}"
                .formatted(CELLS.substring(CELLS.indexOf(',') + 1)));
    assertThat(events.get(4).get("prompt").asText()).isEqualTo("a blue mug");
    assertThat(events.get(4).get("row").asText()).startsWith("id,color,name,width,");

    events = draw("{\"id\":\"1\",\"template\":\"a {colour}\",\"settings\":[{\"name\":\"mug\"}]}");
    assertThat(events.get(1).get("message").asText())
        .contains("colour is empty, and the prompt template needs it");
  }

  @Test
  void aBlockedPromptAndAnInvalidValueSayWhyAsInATable() throws Exception {
    List<JsonNode> events =
        draw(
            "{\"id\":\"1\",\"settings\":[{\"prompt\":\"a bloody corpse,"
                + " gore\"},{\"prompt\":\"x\",\"width\":\"7\"}]}");

    assertThat(events.get(1).get("event").asText()).isEqualTo("blocked");
    assertThat(events.get(1).get("message").asText()).contains("gore");
    assertThat(events.get(2).get("event").asText()).isEqualTo("failed");
    assertThat(events.get(2).get("message").asText()).contains("width", "7");
  }

  @Test
  void aPastedRowIsCells() throws Exception {
    assertThat(
            post(
                    "row",
                    "{\"text\":\"ID,Negative Prompt,steps,color\\r"
                        + "\\n"
                        + "7,\\\"blur, noise\\\",9,red\\r"
                        + "\\n"
                        + "\"}")
                .body())
        .isEqualTo(
            "{\"id\":\"7\",\"negative_prompt\":\"blur,"
                + " noise\",\"num_inference_steps\":\"9\",\"color\":\"red\"}");
    assertThat(
            post("row", "{\"text\":\"{\\\"seed\\\":9223372036854775807,\\\"x\\\":[1]}\"}").body())
        .isEqualTo("{\"seed\":\"9223372036854775807\",\"x\":\"[1]\"}");
    assertThat(post("row", "{\"text\":\"a,b\"}").statusCode()).isEqualTo(400);
    assertThat(post("row", "{\"text\":\"{x\"}").body()).contains("is no JSON");
  }

  @Test
  void tooManyPicturesAndMalformedRequestsAreRefused() throws Exception {
    assertThat(
            draw("{\"id\":\"1\",\"settings\":[{\"prompt\":\"x\",\"num_images_per_prompt\":\"17\"}]}")
                .get(0)
                .get("message")
                .asText())
        .contains("17 images");
    assertThat(post("draw", "{\"settings\":[]}").statusCode()).isEqualTo(400);
    assertThat(post("draw", "not json").body()).contains("the request is no JSON");
    assertThat(post("draw", "\"" + "x".repeat(1 << 20) + "\"").body()).contains("more than 1 MiB");
  }

  @Test
  void aDrawingIsCancelledBeforeItsNextStep() throws Exception {
    HttpResponse<java.util.stream.Stream<String>> answer =
        client.send(
            request(
                "draw",
                "{\"id\":\"slow\",\"settings\":[{\"prompt\":\"x\",\"num_inference_steps\":\"1000\"}]}"),
            HttpResponse.BodyHandlers.ofLines());
    List<String> events = new ArrayList<>();
    answer
        .body()
        .forEach(
            line -> {
              if (events.isEmpty()) {
                CompletableFuture<HttpResponse<Void>> unused =
                    client.sendAsync(
                        request("cancel", "{\"id\":\"slow\"}"),
                        HttpResponse.BodyHandlers.discarding());
              }
              events.add(line);
            });

    assertThat(events).hasSizeLessThan(1000);
    assertThat(events.get(events.size() - 1)).contains("cancelled");
    assertThat(draw("{\"id\":\"next\",\"settings\":[{%s}]}".formatted(CELLS)))
        .last()
        .extracting(event -> event.get("event").asText())
        .isEqualTo("done");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/AAAAAAAAAAAAAAAAAAAAAA/", "/AAAAAAAAAAAAAAAAAAAAAA/setup"})
  void nothingIsAnsweredWithoutTheToken(String path) throws Exception {
    HttpResponse<String> answer = get(address.resolve(path));

    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).doesNotContain(address.getPath().replace("/", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../page.html",
        "%2e%2e/%2e%2e/etc/passwd",
        "..%2fpage.js",
        "page.html",
        "page.css/",
        "/etc/passwd"
      })
  void pathsNameNoFiles(String path) throws Exception {
    assertThat(
            raw(
                "GET "
                    + address.getPath()
                    + path
                    + " HTTP/1.1\r\nHost: "
                    + address.getAuthority()
                    + "\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 404");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "evil.example:PORT",
        "localhost",
        "127.0.0.1:1",
        "127.0.0.1.evil.example:PORT",
        ""
      })
  void aRequestThatNamesAnotherHostIsRefused(String host) throws Exception {
    String named = host.replace("PORT", Integer.toString(address.getPort()));
    assertThat(
            raw(
                "GET "
                    + address.getPath()
                    + "setup HTTP/1.1\r\nHost: "
                    + named
                    + "\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 403");
  }

  @Test
  void callsComeFromItsOwnPageOnly() throws Exception {
    assertThat(
            client
                .send(
                    HttpRequest.newBuilder(address.resolve("row"))
                        .header("Content-Type", "application/json")
                        .header("Origin", "http://evil.example")
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build(),
                    HttpResponse.BodyHandlers.ofString())
                .statusCode())
        .isEqualTo(403);
    assertThat(
            client
                .send(
                    HttpRequest.newBuilder(address.resolve("row"))
                        .header("Content-Type", "text/plain") // as forms send it
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build(),
                    HttpResponse.BodyHandlers.ofString())
                .statusCode())
        .isEqualTo(403);
    assertThat(get(address.resolve("draw")).statusCode()).isEqualTo(405);
    HttpResponse<String> page = get(address);
    assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
        .contains("default-src 'none'", "frame-ancestors 'none'");
    assertThat(page.headers().firstValue("Referrer-Policy")).contains("no-referrer");
    assertThat(page.body()).doesNotContain("http:", "https:");
  }

  @Test
  void itListensOnTheAddressThatItIsGivenAndSaysSo() {
    assertThat(server.address()).matches("http://127\\.0\\.0\\.1:[1-9]\\d*/[A-Za-z0-9_-]{22}/");
    assertThatThrownBy(() -> PlaygroundServer.start(playground, "127.0.0.1", address.getPort()))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("port " + address.getPort());
    assertThat(new RequestedHost("0.0.0.0", 80).authority()).isEqualTo("127.0.0.1:80");
    assertThat(new RequestedHost("::1", 80).authority()).isEqualTo("[::1]:80");
  }

  private List<JsonNode> draw(String body) throws Exception {
    List<JsonNode> events = new ArrayList<>();
    for (String line : post("draw", body).body().lines().toList()) {
      events.add(JSON.readTree(line));
    }
    return events;
  }

  private HttpRequest request(String name, String body) {
    return HttpRequest.newBuilder(address.resolve(name))
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  private HttpResponse<String> post(String name, String body) throws Exception {
    return client.send(request(name, body), HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> get(URI uri) throws Exception {
    return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  private String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), address.getPort());
        OutputStream out = socket.getOutputStream();
        InputStream in = socket.getInputStream()) {
      out.write(request.getBytes(StandardCharsets.US_ASCII));
      out.flush();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
