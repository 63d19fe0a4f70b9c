package io.lightmill.pipeline.policy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Rules for prompts, from a YAML file: which are blocked and which are flagged. SAFETY.md describes
 * the file. A check takes time linear in the length of the prompt, whatever the policy and the
 * prompt are. Immutable, and safe for several threads.
 */
public final class PromptPolicy implements Serializable {

  /** The name of the policy that ships. */
  public static final String DEFAULT = "default";

  /** Maximum size of a policy file. */
  public static final int MOST_BYTES = 1 << 20;

  /** A part of the digest, to be changed whenever the same file gives other verdicts. */
  private static final String MATCHING = "lightmill policy 1";

  private static final long serialVersionUID = 1L;
  private static final int DIGEST_DIGITS = 32;
  private static final int MOST_COMPILED = 16;

  /** Compiled policies by their YAML: every task has a copy of the policy. */
  private static final Map<String, CompiledPolicy> COMPILED = new ConcurrentHashMap<>();

  private final String location;
  private final String yaml;
  private transient CompiledPolicy compiled;

  private PromptPolicy(String location, String yaml) {
    this.location = location;
    this.yaml = yaml;
    this.compiled = compiled(location, yaml);
  }

  /** The policy that ships with Lightmill, which is called {@value #DEFAULT}. */
  public static PromptPolicy standard() {
    try (InputStream in = PromptPolicy.class.getResourceAsStream("/policy/default.yaml")) {
      return new PromptPolicy(DEFAULT, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Reads a policy.
   *
   * @param location of the file, for messages
   * @param file its content, UTF-8
   * @throws LightmillException with {@code POLICY_INVALID}, the line, what is wrong, and the fix
   */
  public static PromptPolicy parse(String location, byte[] file) {
    if (file.length > MOST_BYTES) {
      throw invalid(
          "policy %s has %d bytes, and may have %d; move terms that no prompt contains out of it"
              .formatted(location, file.length, MOST_BYTES));
    }
    try {
      return new PromptPolicy(
          location, StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(file)).toString());
    } catch (CharacterCodingException e) {
      throw invalid("policy %s is not UTF-8; save it in UTF-8".formatted(location));
    }
  }

  private static CompiledPolicy compiled(String location, String yaml) {
    CompiledPolicy known = COMPILED.get(yaml);
    if (known != null) {
      return known;
    }
    try {
      YamlNode document = YamlNode.read(yaml);
      String digest =
          DigestUtils.sha256Hex(MATCHING + "\n" + canonical(document)).substring(0, DIGEST_DIGITS);
      CompiledPolicy policy = new CompiledPolicy(new PolicyReader(document), digest);
      if (COMPILED.size() >= MOST_COMPILED) {
        COMPILED.clear();
      }
      COMPILED.put(yaml, policy);
      return policy;
    } catch (PolicyProblem e) {
      throw invalid("policy %s, line %d, %s".formatted(location, e.line(), e.getMessage()));
    }
  }

  /** What a policy says, without comments, descriptions, quotes and the order of its keys. */
  private static String canonical(YamlNode node) {
    if (node instanceof YamlNode.Scalar scalar) {
      return "%d:%s".formatted(scalar.text().length(), scalar.text());
    }
    if (node instanceof YamlNode.Items items) {
      return "["
          + String.join(",", items.items().stream().map(PromptPolicy::canonical).toList())
          + "]";
    }
    Map<String, YamlNode> sorted = new TreeMap<>(((YamlNode.Fields) node).fields());
    sorted.remove("description");
    List<String> fields = new ArrayList<>();
    sorted.forEach((key, value) -> fields.add(key + "=" + canonical(value)));
    return "{" + String.join(",", fields) + "}";
  }

  private CompiledPolicy compiled() {
    if (compiled == null) { // after deserialization
      compiled = compiled(location, yaml);
    }
    return compiled;
  }

  /** Where the policy comes from. */
  public String location() {
    return location;
  }

  /** A digest of what the policy says, 32 hexadecimal digits. Comments do not change it. */
  public String digest() {
    return compiled().digest();
  }

  /**
   * Checks the texts of a request.
   *
   * @param negativePrompt empty if there is none, or if it has no effect
   * @return at most one verdict for each category and text; no verdicts if nothing matches
   */
  public List<Verdict> check(String prompt, Optional<String> negativePrompt) {
    List<Verdict> verdicts = compiled().check(prompt, false);
    if (negativePrompt.isEmpty()) {
      return verdicts;
    }
    List<Verdict> all = new ArrayList<>(verdicts);
    all.addAll(compiled().check(negativePrompt.get(), true));
    return all;
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.POLICY_INVALID, message);
  }
}
