package io.lightmill.pipeline.policy;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Reads the parts of a policy file, and says where one is of the wrong kind. */
final class PolicyFields {

  private PolicyFields() {}

  static String choice(YamlNode.Fields fields, String key, String otherwise, String... choices) {
    Optional<YamlNode.Scalar> given = text(fields, key);
    String value = given.map(YamlNode.Scalar::text).orElse(otherwise).toLowerCase(Locale.ROOT);
    if (!Arrays.asList(choices).contains(value)) {
      throw new PolicyProblem(
          given.map(YamlNode.Scalar::line).orElse(fields.line()),
          "has '%s: %s'; give %s".formatted(key, value, String.join(" or ", choices)));
    }
    return value;
  }

  static String[] labels(Enum<?>... values) {
    return Arrays.stream(values)
        .map(value -> value.name().toLowerCase(Locale.ROOT))
        .toArray(String[]::new);
  }

  static Optional<YamlNode.Scalar> text(YamlNode.Fields fields, String key) {
    return Optional.ofNullable(fields.fields().get(key))
        .map(node -> scalar(node, "'%s'".formatted(key)));
  }

  static void known(YamlNode.Fields fields, String label, String... keys) {
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

  static YamlNode.Fields fields(YamlNode node, String label) {
    if (node instanceof YamlNode.Fields fields) {
      return fields;
    }
    throw new PolicyProblem(
        node.line(),
        "has a value for %s that is no mapping".formatted(label) + "; write 'key: value' lines");
  }

  /** The items of a list; one value is a list of one. */
  static List<YamlNode> items(YamlNode node, String label) {
    if (node instanceof YamlNode.Scalar) {
      return List.of(node);
    }
    if (node instanceof YamlNode.Items items) {
      return items.items();
    }
    throw new PolicyProblem(
        node.line(), "has a value for %s that is no list; write [one, two]".formatted(label));
  }

  static YamlNode.Scalar scalar(YamlNode node, String label) {
    if (node instanceof YamlNode.Scalar scalar) {
      return scalar;
    }
    throw new PolicyProblem(
        node.line(), "has a list or a mapping for %s; write one value".formatted(label));
  }
}
