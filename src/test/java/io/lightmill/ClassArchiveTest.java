package io.lightmill;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The build's class-data archive, without which all tests pass but take longer. */
class ClassArchiveTest {

  @Test
  void theProgramThatLoadsItsClassesEndsWithoutAnError() {
    assertThat(Path.of("target/class-archive/result")).hasContent("complete");
    assertThat(Path.of("target/forks.jsa")).isNotEmptyFile();
  }
}
