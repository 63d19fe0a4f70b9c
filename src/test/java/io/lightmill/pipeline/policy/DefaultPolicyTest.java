package io.lightmill.pipeline.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.lightmill.pipeline.Verdict;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The policy that ships, against labelled prompts. It was developed against half A. Half B was run
 * once before anything was changed for it, with no false alarm, all plain and 31 of 32 evasive
 * prompts caught.
 */
class DefaultPolicyTest {

  private static final Path RESOURCES = Path.of("src/test/resources/policy");
  private static final PromptPolicy POLICY = PromptPolicy.standard();

  /**
   * A labelled prompt.
   *
   * @param label {@code innocent}, {@code plain} or {@code evasive}
   * @param category that has to match; empty for an innocent prompt
   */
  private record Labelled(String label, String category, String language, String prompt) {

    static Labelled of(String line) {
      String[] fields = line.split("\t", -1);
      String[] label = fields[0].split(":", -1);
      return new Labelled(label[0], label.length > 1 ? label[1] : "", fields[1], fields[2]);
    }

    boolean innocent() {
      return label.equals("innocent");
    }

    List<Verdict> verdicts() {
      return POLICY.check(prompt, Optional.empty());
    }

    /** A category that only flags has to be found itself; else what matters is the block. */
    boolean caught() {
      return verdicts().stream()
          .anyMatch(verdict -> verdict.category().equals(category) || verdict.blocks());
    }
  }

  private static List<Labelled> prompts(String... halves) throws IOException {
    List<Labelled> prompts = new ArrayList<>();
    for (String half : halves) {
      Files.readAllLines(RESOURCES.resolve("prompts-%s.tsv".formatted(half))).stream()
          .filter(line -> !line.startsWith("#"))
          .map(Labelled::of)
          .forEach(prompts::add);
    }
    return prompts;
  }

  private static double caught(List<Labelled> prompts, String label) {
    List<Labelled> all = prompts.stream().filter(each -> each.label().equals(label)).toList();
    return (double) all.stream().filter(Labelled::caught).count() / all.size();
  }

  @Test
  void theLabelledPromptsAreManyAndOfManyKinds() throws IOException {
    List<Labelled> prompts = prompts("a", "b");

    assertThat(prompts).hasSizeGreaterThanOrEqualTo(300);
    assertThat(prompts).extracting(Labelled::prompt).doesNotHaveDuplicates();
    assertThat(prompts.stream().filter(Labelled::innocent).count() * 2)
        .isGreaterThanOrEqualTo(prompts.size());
    assertThat(prompts.stream().map(Labelled::language).distinct())
        .contains("en", "de", "fr", "es", "ru", "zh", "ar");
    assertThat(prompts.stream().map(Labelled::category).distinct())
        .contains(
            "violence",
            "gore",
            "sexual",
            "nudity",
            "minors",
            "hate",
            "self_harm",
            "public_figures",
            "trademarks");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "b"})
  void innocentPromptsPassAndOthersDoNot(String half) throws IOException {
    List<Labelled> prompts = prompts(half);
    List<Labelled> innocent = prompts.stream().filter(Labelled::innocent).toList();
    List<Labelled> alarms = innocent.stream().filter(each -> !each.verdicts().isEmpty()).toList();

    assertThat((double) alarms.size() / innocent.size()).as("%s", alarms).isLessThanOrEqualTo(0.01);
    assertThat(caught(prompts, "plain")).isGreaterThanOrEqualTo(0.9);
    assertThat(caught(prompts, "evasive")).isGreaterThanOrEqualTo(0.7);
  }

  @Test
  void theExamplesThatShipPass() throws IOException {
    try (Stream<Path> examples = Files.list(Path.of("conf/examples"))) {
      for (Path table : examples.filter(file -> file.toString().endsWith(".csv")).toList()) {
        for (String line : Files.readAllLines(table, StandardCharsets.UTF_8)) {
          assertThat(POLICY.check(line, Optional.empty())).as(line).isEmpty();
        }
      }
    }
  }

  @Test
  void aNegativePromptMayNameWhatItKeepsOut() {
    assertThat(POLICY.check("a red mug", Optional.of("nudity, gore, naked woman, blood")))
        .isEmpty();
    assertThat(POLICY.check("a woman at a pool", Optional.of("clothes, underwear")))
        .extracting(Verdict::category, Verdict::rule)
        .containsExactly(tuple("nudity", "clothes"));
  }

  @Test
  void figuresAndBrandsAreFlags() {
    List<Verdict> verdicts = POLICY.check("Taylor Swift with a Starbucks cup", Optional.empty());

    assertThat(verdicts)
        .extracting(Verdict::category)
        .containsExactly("public_figures", "trademarks");
    assertThat(Verdict.block(verdicts)).isFalse();
  }
}
