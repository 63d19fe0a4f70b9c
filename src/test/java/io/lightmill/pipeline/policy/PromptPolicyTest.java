package io.lightmill.pipeline.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Verdict;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The format of policies and what their rules match. */
class PromptPolicyTest {

  private static final String RULES =
      """
      version: 1
      denials: [no, without]
      allow: [nude lipstick*]
      lists:
        children: [child, girl]
      categories:
        nudity:
          action: block
          severity: high
          terms: [nude, kill, ass, 裸体, обнажённая, عارية, x-rated, "*porn", "18+", 🔞, "=kkk", gemüse* auflauf]
          near:
            - {of: [naked], with: $children, within: 4}
            - {of: [hits], with: $children, within: 2, ordered: true}
          patterns: ['s[e3]xy \\w+ now', 'обнажённый']
          negative_terms: [clothes]
        brands:
          action: flag
          terms: [acme]
      """;

  private static PromptPolicy policy(String yaml) {
    return PromptPolicy.parse("my.yaml", yaml.getBytes(StandardCharsets.UTF_8));
  }

  private static List<Verdict> check(String prompt) {
    return policy(RULES).check(prompt, Optional.empty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a nude woman",
        "NUDE",
        "ｎｕｄｅ",
        "n\u200Bu\u200Bd\u200Be",
        "n\u0001ude",
        "ńüdé",
        "nu\u0336d\u0336e",
        "nuuude, nuude",
        "n.u.d.e",
        "n u d e",
        "a n u d e woman",
        "n-u-d-e",
        "nu-de",
        "n*de",
        "nud3",
        "пude",
        "ոսԁе",
        "𝓷𝓾𝓭𝓮",
        "🅽🆄🅳🅴",
        "🇳🇺🇩🇪",
        "ɴᴜᴅᴇ",
        "no, a nude woman",
        "nude21",
        "NudeArt",
        "my_nude_art",
        "裸体画",
        "裸 体",
        "裸.体",
        "ОБНАЖЕННАЯ",
        "обнaжeннaя",
        "обнажённый",
        "المرأة العارية",
        "x rated",
        "X-RATED",
        "freeporn",
        "18+ only",
        "🔞 party",
        "KKK",
        "a girl, all naked",
        "naked is the child",
        "he hits a girl",
        "sexy lady now",
        "k1ll",
        "ki11",
        "killll",
        "a$$",
        "@ss"
      })
  void matches(String prompt) {
    assertThat(check(prompt)).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "denuded hills",
        "nudes", // another word
        "nudde",
        "kil, skill, killer",
        "Samsung Galaxy A55, 455, a$$et, class, m a s s a g e",
        "xrated",
        "kkkk", // only the plain spelling
        "k.k.k",
        "nude lipsticks",
        "no nude people",
        "without a nude",
        "the naked truth",
        "girl sits. Naked tree",
        "girl with a long blue dress beside a naked tree",
        "the girl hits a ball",
        "sexy now",
        "18 mugs",
        "裸色口红",
        "she'll pass the glass",
        "He said: as. Sit down"
      })
  void doesNotMatch(String prompt) {
    assertThat(check(prompt)).isEmpty();
  }

  @Test
  void wordsInsideOfAPhraseMayHaveAnyEnding() {
    assertThat(check("Gemüsesuppen Auflauf"))
        .extracting(Verdict::rule)
        .containsExactly("gemüse* auflauf");
    assertThat(check("Gemüse-Auflauf")).hasSize(1);
  }

  @Test
  void aVerdictNamesCategoryRuleAndPolicy() {
    PromptPolicy policy = policy(RULES);

    assertThat(policy.check("nude girl with an Acme mug, naked", Optional.empty()))
        .containsExactly(
            new Verdict(
                Verdict.Stage.PROMPT,
                "nudity",
                Verdict.Severity.HIGH,
                "nude",
                Optional.empty(),
                Verdict.Action.BLOCK,
                policy.digest()),
            new Verdict(
                Verdict.Stage.PROMPT,
                "brands",
                Verdict.Severity.MEDIUM,
                "acme",
                Optional.empty(),
                Verdict.Action.FLAG,
                policy.digest()));
    assertThat(check("a naked girl")).extracting(Verdict::rule).containsExactly("naked + girl");
  }

  @Test
  void negativePromptsAreAnotherMatter() {
    PromptPolicy policy = policy(RULES);

    assertThat(policy.check("a mug", Optional.of("nude, naked girl"))).isEmpty();
    assertThat(policy.check("a mug", Optional.of("clothes"))).hasSize(1);
    assertThat(policy.check("clothes", Optional.empty())).isEmpty();
    assertThat(
            policy("negative_prompts: check\n" + RULES.replace("version: 1\n", ""))
                .check("a mug", Optional.of("nude")))
        .hasSize(1);
  }

  @Test
  void theDigestIsOfWhatThePolicySays() {
    String digest = policy(RULES).digest();

    assertThat(digest).matches("[0-9a-f]{32}");
    assertThat(policy("# a comment\n" + RULES).digest()).isEqualTo(digest);
    assertThat(policy(RULES.replace("severity: high", "severity: low")).digest())
        .isNotEqualTo(digest);
    assertThat(PromptPolicy.standard().digest()).isEqualTo(PromptPolicy.standard().digest());
  }

  @Test
  void itIsTheSameAfterSerialization() throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(policy(RULES));
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      PromptPolicy read = (PromptPolicy) in.readObject();
      assertThat(read.digest()).isEqualTo(policy(RULES).digest());
      assertThat(read.location()).isEqualTo("my.yaml");
      assertThat(read.check("nude", Optional.empty())).hasSize(1);
    }
  }

  static Stream<Arguments> malformed() {
    String good = "categories:\n  a:\n    action: block\n";
    return Stream.of(
        Arguments.of("", "line 1, is empty; write at least one category"),
        Arguments.of("a: [", "is not YAML"),
        Arguments.of("- a", "line 1, has a value for a policy that is no mapping"),
        Arguments.of("version: 2\n" + good, "has version '2'; this release reads version 1"),
        Arguments.of("category: {}", "line 1, has the key 'category', which the policy does not"),
        Arguments.of("version: 1", "has no 'categories'"),
        Arguments.of(good, "line 2, category 'a' has no rules"),
        Arguments.of(good + "    termz: [b]", "line 4, has the key 'termz', which category 'a'"),
        Arguments.of("categories:\n  a:\n    terms: [bad]", "category 'a' has no 'action'"),
        Arguments.of(
            "categories:\n  a:\n    action: delete\n    terms: [bad]",
            "line 3, has 'action: delete'; give flag or block"),
        Arguments.of(
            good + "    terms: [bad]\n    severity: huge",
            "line 5, has 'severity: huge'; give low"),
        Arguments.of(
            good + "    terms: [bad]\n  a:\n    action: flag",
            "line 5, has 'a' twice, first in line 2"),
        Arguments.of("categories:\n  A b:\n    action: block", "has a category named 'A b'"),
        Arguments.of(good + "    terms: [b]", "has the term 'b', which has fewer than two letters"),
        Arguments.of(good + "    terms: ['b*d']", "which has a '*' inside of a word"),
        Arguments.of(good + "    terms: [%s]".formatted("x".repeat(70)), "shorten it"),
        Arguments.of(good + "    terms: [$people]", "names the list '$people'"),
        Arguments.of(good + "    terms: {a: b}", "has a value for 'terms' that is no list"),
        Arguments.of(good + "    terms: [[bad]]", "has a list or a mapping for an item of 'terms'"),
        Arguments.of(good + "    terms:", "has a key or an item without a value"),
        Arguments.of(
            good + "    patterns: ['(']", "line 4, has a pattern that cannot be read, '('"),
        Arguments.of(good + "    patterns: ['(a)\\1']", "cannot be read"),
        Arguments.of(good + "    patterns: ['a*']", "matches nothing at all"),
        Arguments.of(
            good + "    patterns: ['((a{1000}){1000}){1000}']",
            "has a pattern of too many repetitions"),
        Arguments.of(good + "    near: [{of: [ab]}]", "without 'of' or 'with'"),
        Arguments.of(
            good + "    near: [{of: [ab], with: [cd], within: 0}]", "has 'within: 0'; give"),
        Arguments.of(good + "    terms: &x [bad]\n    allow: *x", "has an alias"),
        Arguments.of(good + "    terms: " + "[".repeat(40) + "]".repeat(40), "levels"),
        Arguments.of(good + "    terms: [bad]\n---\na: b", "begins a second document"));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void aMalformedPolicyIsRefusedWithItsLine(String yaml, String message) {
    assertThatThrownBy(() -> policy(yaml))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.POLICY_INVALID))
        .hasMessageStartingWith("policy my.yaml, line ")
        .hasMessageContaining(message);
  }

  @Test
  void aHugeOrBinaryFileIsRefused() {
    assertThatThrownBy(() -> PromptPolicy.parse("big.yaml", new byte[PromptPolicy.MOST_BYTES + 1]))
        .hasMessageStartingWith("policy big.yaml has 1048577 bytes, and may have 1048576");
    assertThatThrownBy(() -> PromptPolicy.parse("b.yaml", new byte[] {(byte) 0xFF, (byte) 0xFE}))
        .hasMessage("policy b.yaml is not UTF-8; save it in UTF-8");
  }

  /** References upon references: nothing is expanded. */
  @Test
  void aBombIsRefusedBeforeItExplodes() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [lol, lol]\n");
    for (int i = 1; i < 60; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d]\n".formatted(i, i, i - 1, i - 1));
    }
    assertThatThrownBy(() -> policy(bomb.toString())).hasMessageContaining("has an alias");
  }

  private static long steps(CompiledTerms terms, String text) {
    TermScan scan = new TermScan(terms.trie(), FoldedText.of(text), (term, from, to) -> {});
    scan.run();
    return scan.steps();
  }

  private record CompiledTerms(TermTrie trie) {

    static CompiledTerms of(String... terms) {
      TermTrie trie = new TermTrie();
      for (String term : terms) {
        trie.add(Term.of(term));
      }
      return new CompiledTerms(trie.built());
    }
  }

  /** Twice the text is at most about twice the work, whatever is repeated. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "aA",
        "a.",
        "a ",
        "1",
        "1i",
        "!i",
        "ab",
        "aab",
        "裸",
        "裸 ",
        "裸体",
        "$",
        "*",
        "a*",
        "oo0",
        "ы",
        "🇳",
        "u\u0336",
        "i1!|",
        "و",
        "وال",
        "\t",
        "n u d e ",
        "nude",
        "no nude ",
        "."
      })
  void workIsLinear(String unit) {
    CompiledTerms terms =
        CompiledTerms.of(
            "aaaa",
            "*aaa",
            "*ab",
            "ba*",
            "aa* b",
            "ill*",
            "oooo",
            "裸体",
            "裸裸裸裸",
            "a a a a",
            "nude",
            "aab* aab",
            "iiii*",
            "*iill",
            "وا*",
            "$$$");
    String text = unit.repeat(20_000 / unit.length());

    long once = steps(terms, text);
    long twice = steps(terms, text + text);

    assertThat(twice).isLessThanOrEqualTo(once * 2 + 10_000);
    assertThat(once).isLessThanOrEqualTo(60L * text.length());
  }

  @Test
  void anyTextIsChecked() {
    Random random = new Random(7);
    int[] alphabet =
        ("nudekilASS.-_* \t\n1340@$!|裸体обнаженнаяعاريةńⓝ𝓷🇳🔞\u200B\u0301\uD800\uDC00\u0000ｎ"
                + "\uFFFF")
            .codePoints()
            .toArray();
    PromptPolicy policy = policy(RULES);
    for (int i = 0; i < 1000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(60); length > 0; length--) {
        text.appendCodePoint(
            random.nextInt(20) == 0
                ? random.nextInt(Character.MAX_CODE_POINT + 1)
                : alphabet[random.nextInt(alphabet.length)]);
      }
      List<Verdict> verdicts = policy.check(text.toString(), Optional.of(text.toString()));
      assertThat(verdicts).hasSizeLessThanOrEqualTo(4);
    }
  }
}
