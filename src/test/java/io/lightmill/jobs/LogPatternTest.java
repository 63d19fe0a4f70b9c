package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.core.layout.PatternLayout;
import org.apache.logging.log4j.message.SimpleMessage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogPatternTest {

  @ParameterizedTest
  @ValueSource(strings = {"console", "brief"})
  void logLinesHaveNoControlCharacters(String appender) throws IOException {
    Properties conf = new Properties();
    try (Reader file = Files.newBufferedReader(Path.of("conf/log4j2.properties"))) {
      conf.load(file);
    }
    String text =
        PatternLayout.newBuilder()
            .withPattern(conf.getProperty("appender." + appender + ".layout.pattern"))
            .build()
            .toSerializable(
                Log4jLogEvent.newBuilder()
                    .setLoggerName("io.lightmill.Test")
                    .setLevel(Level.ERROR)
                    .setMessage(new SimpleMessage("row 'a\u001b[2J\u202E' fails"))
                    .setThrown(
                        appender.equals("console")
                            ? new IllegalStateException("of '\u001b]0;x\u0007'")
                            : null)
                    .build());

    assertThat(text)
        .contains("Test: row 'a?[2J?' fails" + System.lineSeparator())
        .doesNotContain("\u001b", "\u0007", "\u202E");
    assertThat(text.contains("IllegalStateException: of '?]0;x?'"))
        .isEqualTo(appender.equals("console"));
  }
}
