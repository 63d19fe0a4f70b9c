package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PlaygroundCommandTest {

  @Test
  void itPrintsItsAddressAndEndsCleanlyOnSigterm() throws Exception {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "-XX:+UseSerialGC",
                    "-Xmx1g",
                    "-Dai.djl.offline=true",
                    "-cp",
                    System.getProperty("java.class.path"),
                    "io.lightmill.jobs.Lightmill",
                    "playground",
                    "--quiet"))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = process.inputReader()) {
      String address = out.readLine();
      assertThat(address).matches("http://127\\.0\\.0\\.1:\\d+/[\\w-]{22}/");
      HttpResponse<String> setup =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(URI.create(address + "setup")).build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(setup.body()).contains("\"model\":\"builtin:pocket\"", "\"width\":\"128\"");

      process.toHandle().destroy(); // SIGTERM
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).isEqualTo(ExitStatus.DONE);
      assertThat(out.readLine()).isNull();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void whatCannotBeServedIsRefused() throws IOException {
    RunningLightmill hosted =
        RunningLightmill.of("playground", "--checkpoint", "openai:https://api.example/v1#image-1");
    assertThat(hosted.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(hosted.err()).contains("is a hosted model");

    assertThat(RunningLightmill.of("playground", "--width", "7").err()).contains("width");
    assertThat(RunningLightmill.of("playground", "--input", "rows.parquet").err())
        .contains("'rows.parquet' is neither .csv nor .jsonl");

    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      RunningLightmill second =
          RunningLightmill.of("playground", "--port", Integer.toString(taken.getLocalPort()));
      assertThat(second.status()).isEqualTo(ExitStatus.REFUSED);
      assertThat(second.err()).contains("cannot listen on 127.0.0.1, port " + taken.getLocalPort());
    }
  }
}
