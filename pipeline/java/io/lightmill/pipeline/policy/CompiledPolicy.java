package io.lightmill.pipeline.policy;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import io.lightmill.pipeline.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A policy as it is applied: all terms in one trie. Immutable, and safe for several threads. */
final class CompiledPolicy {

  /** Most words from a denial to what it denies. */
  private static final int DENIAL = 3 * FoldedText.WORD;

  private final String digest;
  private final List<PolicyCategory> categories;
  private final TermTrie trie = new TermTrie();

  /** The list of spans that matches of a term go to, by the number of the term. */
  private final int[] listOf;

  private final int lists;

  /** Lists of spans: denials, phrases that are allowed, then those of the categories. */
  private static final int DENIALS = 0;

  private static final int ALLOWED = 1;
  private final int[] allowed;
  private final int[] terms;
  private final int[] negativeTerms;
  private final int[][] near;

  CompiledPolicy(PolicyReader policy, String digest) {
    this.digest = digest;
    this.categories = List.copyOf(policy.categories());
    List<Integer> target = new ArrayList<>();
    add(policy.denials(), DENIALS, target);
    add(policy.allow(), ALLOWED, target);
    int size = categories.size();
    allowed = new int[size];
    terms = new int[size];
    negativeTerms = new int[size];
    near = new int[size][];
    int next = ALLOWED + 1;
    for (int i = 0; i < size; i++) {
      PolicyCategory category = categories.get(i);
      allowed[i] = next++;
      terms[i] = next++;
      negativeTerms[i] = next++;
      add(category.allow(), allowed[i], target);
      add(category.terms(), terms[i], target);
      add(category.negativeTerms(), negativeTerms[i], target);
      near[i] = new int[category.near().size()];
      for (int pair = 0; pair < near[i].length; pair++) {
        near[i][pair] = next;
        add(category.near().get(pair).of(), next++, target);
        add(category.near().get(pair).with(), next++, target);
      }
    }
    lists = next;
    listOf = target.stream().mapToInt(Integer::intValue).toArray();
    trie.built();
  }

  private void add(List<Term> more, int list, List<Integer> target) {
    for (Term term : more) {
      trie.add(term);
      target.add(list);
    }
  }

  String digest() {
    return digest;
  }

  /** One verdict for each category that matches, in the order of the policy. */
  List<Verdict> check(String text, boolean negative) {
    return new Check(FoldedText.of(text), negative).verdicts();
  }

  /** The check of one text. */
  private final class Check {

    private final FoldedText text;
    private final boolean negative;
    private final Spans[] spans = new Spans[lists];
    private String plain;

    Check(FoldedText text, boolean negative) {
      this.text = text;
      this.negative = negative;
      Arrays.setAll(spans, i -> null);
    }

    List<Verdict> verdicts() {
      new TermScan(
              trie,
              text,
              (term, from, to) -> {
                int list = listOf[term];
                if (spans[list] == null) {
                  spans[list] = new Spans();
                }
                spans[list].add(term, from, to);
              })
          .run();
      List<Verdict> verdicts = new ArrayList<>();
      for (int i = 0; i < categories.size(); i++) {
        PolicyCategory category = categories.get(i);
        rule(category, i)
            .ifPresent(
                rule ->
                    verdicts.add(
                        new Verdict(
                            Verdict.Stage.PROMPT,
                            category.name(),
                            category.severity(),
                            rule,
                            Optional.empty(),
                            category.action(),
                            digest)));
      }
      return verdicts;
    }

    /** The rule of a category that matches. */
    private Optional<String> rule(PolicyCategory category, int i) {
      Optional<String> found =
          negative ? first(category, i, spans[negativeTerms[i]]) : Optional.empty();
      if (negative && !category.inNegativePrompt()) {
        return found;
      }
      return found
          .or(() -> first(category, i, spans[terms[i]]))
          .or(() -> pair(category, i))
          .or(() -> pattern(category, i));
    }

    private Optional<String> first(PolicyCategory category, int i, Spans found) {
      for (int s = 0; found != null && s < found.size(); s++) {
        if (counts(category, i, found.from(s), found.to(s))) {
          return Optional.of(trie.term(found.term(s)).text());
        }
      }
      return Optional.empty();
    }

    private boolean counts(PolicyCategory category, int i, int from, int to) {
      return !covers(spans[ALLOWED], from, to)
          && !covers(spans[allowed[i]], from, to)
          && (negative || category.denied() || !isDenied(from));
    }

    private static boolean covers(Spans phrases, int from, int to) {
      return phrases != null && phrases.cover(from, to);
    }

    private boolean isDenied(int from) {
      if (spans[DENIALS] == null) {
        return false;
      }
      int denial = spans[DENIALS].lastBefore(from);
      if (denial < 0) {
        return false;
      }
      int last = spans[DENIALS].to(denial) - 1;
      return text.clause[last] == text.clause[from] && text.word[from] - text.word[last] <= DENIAL;
    }

    private Optional<String> pair(PolicyCategory category, int i) {
      for (int pair = 0; pair < near[i].length; pair++) {
        Spans of = spans[near[i][pair]];
        Spans with = spans[near[i][pair] + 1];
        int within = category.near().get(pair).within() * FoldedText.WORD;
        for (int a = 0; of != null && with != null && a < of.size(); a++) {
          if (counts(category, i, of.from(a), of.to(a))) {
            int b = partner(category, i, of.from(a), of.to(a), with, within);
            if (b >= 0) {
              return Optional.of(
                  "%s + %s"
                      .formatted(trie.term(of.term(a)).text(), trie.term(with.term(b)).text()));
            }
          }
        }
      }
      return Optional.empty();
    }

    /** The closest words before and after, if they are within reach. */
    private int partner(PolicyCategory category, int i, int from, int to, Spans with, int within) {
      int after = with.firstFrom(to);
      if (after < with.size()
          && text.word[with.from(after)] - text.word[to - 1] <= within
          && text.sentence[with.from(after)] == text.sentence[to - 1]
          && counts(category, i, with.from(after), with.to(after))) {
        return after;
      }
      int before = with.lastBefore(from);
      return before >= 0
              && text.word[from] - text.word[with.to(before) - 1] <= within
              && text.sentence[with.to(before) - 1] == text.sentence[from]
              && counts(category, i, with.from(before), with.to(before))
          ? before
          : -1;
    }

    private Optional<String> pattern(PolicyCategory category, int i) {
      for (Pattern pattern : category.patterns()) {
        if (plain == null) {
          plain = text.plain();
        }
        Matcher matcher = pattern.matcher(plain);
        int at = 0;
        int symbol = 0;
        while (matcher.find()) {
          symbol += plain.codePointCount(at, matcher.start());
          at = matcher.start();
          int end = symbol + plain.codePointCount(at, matcher.end());
          if (end > symbol && counts(category, i, symbol, end)) {
            return Optional.of(pattern.pattern());
          }
        }
      }
      return Optional.empty();
    }
  }
}
