package io.lightmill.pipeline.policy;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.lightmill.pipeline.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the categories of a policy from its YAML. */
final class PolicyReader {

  static final String VERSION = "1";

  private static final String LISTS = "lists";
  private static final String CATEGORIES = "categories";
  private static final int WITHIN = 6;
  private static final int MOST_WITHIN = 100;
  private static final String NAME = "[a-z][a-z0-9_-]{0,49}";

  private final Map<String, List<Term>> lists = new LinkedHashMap<>();
  private final List<Term> denials = new ArrayList<>();
  private final List<Term> allow = new ArrayList<>();
  private final List<PolicyCategory> categories = new ArrayList<>();
  private boolean inNegativePrompts;
  private long cost;

  /**
   * @throws PolicyProblem if the policy is not valid
   */
  PolicyReader(YamlNode document) {
    YamlNode.Fields policy = PolicyFields.fields(document, "a policy");
    PolicyFields.known(
        policy, "the policy", "version", LISTS, "denials", "negative_prompts", "allow", CATEGORIES);
    PolicyFields.text(policy, "version")
        .filter(version -> !version.text().equals(VERSION))
        .ifPresent(
            version -> {
              throw new PolicyProblem(
                  version.line(),
                  "has version '%s'; this release reads version %s"
                      .formatted(version.text(), VERSION));
            });
    if (policy.fields().containsKey(LISTS)) {
      YamlNode.Fields named = PolicyFields.fields(policy.fields().get(LISTS), "'lists'");
      named
          .fields()
          .forEach(
              (name, list) -> {
                requireName("list", name, named.lines().get(name));
                lists.put(name, terms(list, "list '%s'".formatted(name)));
              });
    }
    terms(policy, "denials").ifPresent(denials::addAll);
    terms(policy, "allow").ifPresent(allow::addAll);
    inNegativePrompts =
        PolicyFields.choice(policy, "negative_prompts", "ignore", "ignore", "check")
            .equals("check");
    YamlNode all = policy.fields().get(CATEGORIES);
    if (all == null || PolicyFields.fields(all, "'categories'").fields().isEmpty()) {
      throw new PolicyProblem(policy.line(), "has no 'categories'; write at least one");
    }
    YamlNode.Fields named = PolicyFields.fields(all, "'categories'");
    named.fields().forEach((name, each) -> category(name, named.lines().get(name), each));
  }

  List<PolicyCategory> categories() {
    return categories;
  }

  /** Words that take back what follows, such as {@code no}. */
  List<Term> denials() {
    return denials;
  }

  /** Phrases in which nothing matches. */
  List<Term> allow() {
    return allow;
  }

  private void category(String name, int line, YamlNode node) {
    requireName("category", name, line);
    String label = "category '%s'".formatted(name);
    YamlNode.Fields category = PolicyFields.fields(node, label);
    PolicyFields.known(
        category,
        label,
        "description",
        "action",
        "severity",
        "terms",
        "near",
        "patterns",
        "allow",
        "negative_prompts",
        "negative_terms",
        "denied");
    PolicyCategory read =
        new PolicyCategory(
            name,
            Verdict.Severity.labelled(
                PolicyFields.choice(
                    category,
                    "severity",
                    "medium",
                    PolicyFields.labels(Verdict.Severity.values()))),
            Verdict.Action.labelled(required(category, label, "action")),
            terms(category, "terms").orElse(List.of()),
            near(category, label),
            patterns(category),
            terms(category, "allow").orElse(List.of()),
            PolicyFields.choice(
                    category,
                    "negative_prompts",
                    inNegativePrompts ? "check" : "ignore",
                    "ignore",
                    "check")
                .equals("check"),
            terms(category, "negative_terms").orElse(List.of()),
            PolicyFields.choice(category, "denied", "ignore", "ignore", "check").equals("check"));
    if (read.terms().isEmpty()
        && read.near().isEmpty()
        && read.patterns().isEmpty()
        && read.negativeTerms().isEmpty()) {
      throw new PolicyProblem(
          line, label + " has no rules; give it 'terms', 'near', 'patterns' or 'negative_terms'");
    }
    categories.add(read);
  }

  private String required(YamlNode.Fields category, String label, String key) {
    if (!category.fields().containsKey(key)) {
      throw new PolicyProblem(
          category.line(), "%s has no '%s'; give it block or flag".formatted(label, key));
    }
    return PolicyFields.choice(category, key, "", PolicyFields.labels(Verdict.Action.values()));
  }

  private List<PolicyCategory.Near> near(YamlNode.Fields category, String label) {
    YamlNode node = category.fields().get("near");
    if (node == null) {
      return List.of();
    }
    List<PolicyCategory.Near> near = new ArrayList<>();
    for (YamlNode each : PolicyFields.items(node, label + ", 'near'")) {
      YamlNode.Fields pair = PolicyFields.fields(each, "an item of 'near'");
      PolicyFields.known(pair, "an item of 'near'", "of", "with", "within", "ordered");
      if (!pair.fields().containsKey("of") || !pair.fields().containsKey("with")) {
        throw new PolicyProblem(
            pair.line(), "has an item of 'near' without 'of' or 'with'; it needs both lists");
      }
      near.add(
          new PolicyCategory.Near(
              terms(pair, "of").orElseThrow(),
              terms(pair, "with").orElseThrow(),
              PolicyFields.text(pair, "within").map(PolicyReader::within).orElse(WITHIN),
              PolicyFields.choice(pair, "ordered", "false", "false", "true").equals("true")));
    }
    return near;
  }

  private static int within(YamlNode.Scalar words) {
    try {
      int number = Integer.parseInt(words.text());
      if (number >= 1 && number <= MOST_WITHIN) {
        return number;
      }
    } catch (NumberFormatException e) {
      // As a number out of range.
    }
    throw new PolicyProblem(
        words.line(),
        "has 'within: %s'; give a number of words from 1 to %d"
            .formatted(words.text(), MOST_WITHIN));
  }

  /** Patterns match folded text, so that their letters are folded too. */
  private List<Pattern> patterns(YamlNode.Fields category) {
    YamlNode node = category.fields().get("patterns");
    if (node == null) {
      return List.of();
    }
    List<Pattern> compiled = new ArrayList<>();
    for (YamlNode each : PolicyFields.items(node, "'patterns'")) {
      YamlNode.Scalar pattern = PolicyFields.scalar(each, "an item of 'patterns'");
      cost += PatternCost.of(pattern.text());
      if (cost > PatternCost.MOST) {
        throw new PolicyProblem(
            pattern.line(),
            "has a pattern of too many repetitions for each prompt, '%s'; repeat less, or write terms"
                .formatted(pattern.text()));
      }
      compiled.add(compiled(pattern));
    }
    return compiled;
  }

  private static Pattern compiled(YamlNode.Scalar pattern) {
    StringBuilder folded = new StringBuilder();
    pattern
        .text()
        .codePoints()
        .forEach(
            c -> {
              int[] letters = c < 0x80 ? new int[] {c} : Folding.of(c).letters();
              if (letters.length == 1) {
                folded.appendCodePoint(letters[0]);
              } else {
                folded.appendCodePoint(c);
              }
            });
    try {
      Pattern compiled = Pattern.compile(folded.toString(), Pattern.CASE_INSENSITIVE);
      if (compiled.matches("")) {
        throw new PolicyProblem(
            pattern.line(),
            "has a pattern that matches nothing at all, '%s'; make it match a text"
                .formatted(pattern.text()));
      }
      return compiled;
    } catch (PatternSyntaxException e) {
      throw new PolicyProblem(
          pattern.line(),
          "has a pattern that cannot be read, '%s' (%s); use the syntax of RE2"
              .formatted(pattern.text(), e.getDescription()));
    }
  }

  private Optional<List<Term>> terms(YamlNode.Fields fields, String key) {
    return Optional.ofNullable(fields.fields().get(key))
        .map(node -> terms(node, "'%s'".formatted(key)));
  }

  private List<Term> terms(YamlNode node, String label) {
    List<Term> terms = new ArrayList<>();
    for (YamlNode each : PolicyFields.items(node, label)) {
      YamlNode.Scalar item = PolicyFields.scalar(each, "an item of " + label);
      if (item.text().startsWith("$")) {
        List<Term> list = lists.get(item.text().substring(1));
        if (list == null) {
          throw new PolicyProblem(
              item.line(),
              "names the list '%s', which does not come before; define it in 'lists', or write another of %s"
                  .formatted(item.text(), lists.keySet()));
        }
        terms.addAll(list);
      } else {
        terms.add(term(item));
      }
    }
    return List.copyOf(terms);
  }

  private static Term term(YamlNode.Scalar item) {
    try {
      return Term.of(item.text());
    } catch (IllegalArgumentException e) {
      throw new PolicyProblem(
          item.line(), "has the term '%s', which %s".formatted(item.text(), e.getMessage()));
    }
  }

  private static void requireName(String kind, String name, int line) {
    if (!name.matches(NAME)) {
      throw new PolicyProblem(
          line,
          "has a %s named '%s'; use small letters, digits, '_' and '-', a letter first"
              .formatted(kind, name));
    }
  }
}
