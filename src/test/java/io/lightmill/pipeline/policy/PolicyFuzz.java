package io.lightmill.pipeline.policy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Verdict;
import java.util.List;
import java.util.Optional;

/** Policy files. What is read must check every prompt, always with the same verdicts. */
public final class PolicyFuzz implements FuzzTarget {

  private static final String PROMPT =
      "No blood! a b\u0301lo0d 0range, kıll swîtch; 血 кровь دم רצח \0\ud83d\udc69\u200d\ud83d\ude80 \ud800 "
          .repeat(20);

  @Override
  public void run(byte[] input) {
    try {
      PromptPolicy policy = PromptPolicy.parse("policy.yaml", input);
      FuzzTarget.require(policy.digest().matches("[0-9a-f]{32}"), "a digest is hexadecimal");
      List<Verdict> verdicts = policy.check(PROMPT, Optional.of(PROMPT));
      FuzzTarget.require(
          verdicts.equals(policy.check(PROMPT, Optional.of(PROMPT))), "verdicts are repeatable");
    } catch (LightmillException e) {
      FuzzTarget.require(
          e.getMessage().startsWith("policy policy.yaml"), "a message names the file");
      FuzzTarget.require(e.getMessage().length() < MOST_MESSAGE, "a message is short");
    }
  }

  @Override
  public List<byte[]> seeds() {
    return List.of(
        """
        version: 1
        lists:
          red: [blood, "gore*"]
        denials: [no, "without"]
        allow: [blood orange]
        negative_prompts: check
        categories:
          violence:
            description: words
            action: block
            severity: high
            terms: [$red, kill, 血, "*mord"]
            near:
              - {of: [switch], with: [kill], within: 3}
            patterns: ["k[i1]ll(er|ing)?", "\\\\bb.{1,3}d\\\\b"]
            allow: [kill switch]
            negative_terms: [clothes]
            denied: check
        """
            .getBytes(UTF_8),
        "categories: {a: {action: flag, terms: [b]}}".getBytes(UTF_8),
        "categories: {a: {action: flag, patterns: ['(a{1,9}){2,9}']}}".getBytes(UTF_8));
  }
}
