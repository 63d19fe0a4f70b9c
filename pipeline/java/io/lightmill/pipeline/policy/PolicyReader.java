package io.lightmill.pipeline.policy;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.lightmill.pipeline.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

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
    YamlNode.Fields policy = fields(document, "a policy");
    known(
        policy, "the policy", "version", LISTS, "denials", "negative_prompts", "allow", CATEGORIES);
    text(policy, "version")
        .filter(version -> !version.text().equals(VERSION))
        .ifPresent(
            version -> {
              throw new PolicyProblem(
                  version.line(),
                  "has version '%s'; this release reads version %s"
                      .formatted(version.text(), VERSION));
            });
    if (policy.fields().containsKey(LISTS)) {
      YamlNode.Fields named = fields(policy.fields().get(LISTS), "'lists'");
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
        choice(policy, "negative_prompts", "ignore", "ignore", "check").equals("check");
    YamlNode all = policy.fields().get(CATEGORIES);
    if (all == null || fields(all, "'categories'").fields().isEmpty()) {
      throw new PolicyProblem(policy.line(), "has no 'categories'; write at least one");
    }
    YamlNode.Fields named = fields(all, "'categories'");
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
    YamlNode.Fields category = fields(node, label);
    known(
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
                choice(category, "severity", "medium", labels(Verdict.Severity.values()))),
            Verdict.Action.labelled(required(category, label, "action")),
            terms(category, "terms").orElse(List.of()),
            near(category, label),
            patterns(category),
            terms(category, "allow").orElse(List.of()),
            choice(
                    category,
                    "negative_prompts",
                    inNegativePrompts ? "check" : "ignore",
                    "ignore",
                    "check")
                .equals("check"),
            terms(category, "negative_terms").orElse(List.of()),
            choice(category, "denied", "ignore", "ignore", "check").equals("check"));
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
    return choice(category, key, "", labels(Verdict.Action.values()));
  }

  private List<PolicyCategory.Near> near(YamlNode.Fields category, String label) {
    YamlNode node = category.fields().get("near");
    if (node == null) {
      return List.of();
    }
    List<PolicyCategory.Near> near = new ArrayList<>();
    for (YamlNode each : items(node, label + ", 'near'")) {
      YamlNode.Fields pair = fields(each, "an item of 'near'");
      known(pair, "an item of 'near'", "of", "with", "within", "ordered");
      if (!pair.fields().containsKey("of") || !pair.fields().containsKey("with")) {
        throw new PolicyProblem(
            pair.line(), "has an item of 'near' without 'of' or 'with'; it needs both lists");
      }
      near.add(
          new PolicyCategory.Near(
              terms(pair, "of").orElseThrow(),
              terms(pair, "with").orElseThrow(),
              text(pair, "within").map(PolicyReader::within).orElse(WITHIN),
              choice(pair, "ordered", "false", "false", "true").equals("true")));
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
    for (YamlNode each : items(node, "'patterns'")) {
      YamlNode.Scalar pattern = scalar(each, "an item of 'patterns'");
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
    for (YamlNode each : items(node, label)) {
      YamlNode.Scalar item = scalar(each, "an item of " + label);
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

  private static String choice(
      YamlNode.Fields fields, String key, String otherwise, String... choices) {
    Optional<YamlNode.Scalar> given = text(fields, key);
    String value = given.map(YamlNode.Scalar::text).orElse(otherwise).toLowerCase(Locale.ROOT);
    if (!Arrays.asList(choices).contains(value)) {
      throw new PolicyProblem(
          given.map(YamlNode.Scalar::line).orElse(fields.line()),
          "has '%s: %s'; give %s".formatted(key, value, String.join(" or ", choices)));
    }
    return value;
  }

  private static String[] labels(Enum<?>... values) {
    return Arrays.stream(values)
        .map(value -> value.name().toLowerCase(Locale.ROOT))
        .toArray(String[]::new);
  }

  private static Optional<YamlNode.Scalar> text(YamlNode.Fields fields, String key) {
    return Optional.ofNullable(fields.fields().get(key))
        .map(node -> scalar(node, "'%s'".formatted(key)));
  }

  private static void known(YamlNode.Fields fields, String label, String... keys) {
    List<String> all = Arrays.asList(keys);
    fields
        .lines()
        .forEach(
            (key, line) -> {
              if (!all.contains(key)) {
                throw new PolicyProblem(
                    line,
                    "has the key '%s', which %s does not have; its keys are %s"
                        .formatted(key, label, all.stream().collect(Collectors.joining(", "))));
              }
            });
  }

  private static YamlNode.Fields fields(YamlNode node, String label) {
    if (node instanceof YamlNode.Fields fields) {
      return fields;
    }
    throw new PolicyProblem(
        node.line(),
        "has a value for %s that is no mapping".formatted(label) + "; write 'key: value' lines");
  }

  /** The items of a list; one value is a list of one. */
  private static List<YamlNode> items(YamlNode node, String label) {
    if (node instanceof YamlNode.Scalar) {
      return List.of(node);
    }
    if (node instanceof YamlNode.Items items) {
      return items.items();
    }
    throw new PolicyProblem(
        node.line(), "has a value for %s that is no list; write [one, two]".formatted(label));
  }

  private static YamlNode.Scalar scalar(YamlNode node, String label) {
    if (node instanceof YamlNode.Scalar scalar) {
      return scalar;
    }
    throw new PolicyProblem(
        node.line(), "has a list or a mapping for %s; write one value".formatted(label));
  }
}
