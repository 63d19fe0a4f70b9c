package io.lightmill;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tests that THREAT_MODEL.md names exist. */
class ThreatModelTest {

  private static final Path ROOT = Path.of(System.getProperty("basedir", ""));
  private static final Pattern NAME = Pattern.compile("`(\\w*Test)?(?:#(\\w+))?`");

  @Test
  void everyNamedTestExists() throws IOException {
    Map<String, Path> sources;
    try (Stream<Path> files = Files.walk(ROOT.resolve("src/test/java"))) {
      sources =
          files
              .filter(file -> file.toString().endsWith("Test.java"))
              .collect(Collectors.toMap(ThreatModelTest::type, file -> file));
    }
    List<String> claims =
        Files.readAllLines(ROOT.resolve("THREAT_MODEL.md")).stream()
            .filter(line -> line.startsWith("|") && line.contains("Test"))
            .toList();
    assertThat(claims).hasSizeGreaterThan(20);
    for (String claim : claims) {
      String type = "";
      Matcher named = NAME.matcher(claim);
      while (named.find()) {
        type = named.group(1) == null ? type : named.group(1);
        assertThat(sources).as(claim).containsKey(type);
        if (named.group(2) != null) {
          assertThat(Files.readString(sources.get(type)))
              .as(claim)
              .contains("void " + named.group(2) + "(");
        }
      }
    }
  }

  private static String type(Path file) {
    return file.getFileName().toString().replace(".java", "");
  }
}
