package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class EscapingWriterTest {

  private final StringWriter printed = new StringWriter();
  private final EscapingWriter out = new EscapingWriter(new PrintWriter(printed));

  @Test
  void linesAreEscapedAndKeepTheirEnds() {
    out.println("row id=\u001b[2J:\n  \u202Emug\u0007");
    out.println((Object) "\u009b");

    assertThat(printed).hasToString("row id=\\u001b[2J:\n  \\u202emug\\u0007\n\\u009b\n");
  }

  @Test
  void aQuotedValueIsOneLine() {
    out.printf("%s → %d images%n", "table\nlightmill: all is well\u001b[0m", 3);

    assertThat(printed).hasToString("table\\nlightmill: all is well\\u001b[0m → 3 images\n");
  }

  @Test
  void progressBarsMoveTheCursor() {
    out.print("\r10 %\u001b[K");
    out.flush();

    assertThat(printed).hasToString("\r10 %\u001b[K");
  }

  @Test
  void theCommandLinePrintsNoControlCharacterOfAnArgument() {
    StringWriter err = new StringWriter();

    int status =
        Lightmill.run(
            new PrintWriter(printed),
            new PrintWriter(err),
            "generate",
            "--input",
            "a\u001b[2J.csv",
            "--output",
            "out",
            "--format",
            "p\u001b[2Jng\u202E");

    assertThat(status).isEqualTo(ExitStatus.REFUSED);
    assertThat(err.toString()).contains("\\u001b[2J").doesNotContain("\u001b", "\u202E");
  }
}
