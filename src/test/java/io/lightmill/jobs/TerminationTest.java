package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TerminationTest {

  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();

  @Test
  void theSignalIsAnsweredWithASentenceAndTheProcessGoesOn() throws Exception {
    try (Termination termination = Termination.of("some run", new PrintWriter(new Said(), true))) {
      termination.listen();

      String process = Long.toString(ProcessHandle.current().pid());
      assertThat(new ProcessBuilder("kill", "-TERM", process).start().waitFor()).isZero();

      assertThat(said.poll(20, TimeUnit.SECONDS)).startsWith("lightmill: told to end; batches");
    }
  }

  /** Hands over what is written, line by line. */
  private final class Said extends Writer {

    private final StringBuilder line = new StringBuilder();

    @Override
    public void write(char[] characters, int offset, int length) {
      line.append(characters, offset, length);
    }

    @Override
    public void flush() {
      if (line.length() > 0) {
        said.add(line.toString());
        line.setLength(0);
      }
    }

    @Override
    public void close() {}
  }
}
