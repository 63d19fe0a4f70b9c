package io.lightmill.pipeline.policy;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.Verdict;
import java.util.List;
import java.util.Optional;

/**
 * Prompts under a policy. The first byte chooses UTF-8 or UTF-16, which has lone surrogates. Some
 * sentences after a prompt do not hide what it contains.
 */
public final class PromptFuzz implements FuzzTarget {

  private static final PromptPolicy POLICY = PromptPolicy.parse("policy.yaml", policy());

  @Override
  public void run(byte[] input) {
    if (input.length == 0) {
      return;
    }
    String prompt =
        new String(input, 1, input.length - 1, input[0] % 2 == 0 ? UTF_8 : UTF_16BE);
    List<Verdict> verdicts = POLICY.check(prompt, Optional.of(prompt));
    FuzzTarget.require(
        verdicts.equals(POLICY.check(prompt, Optional.of(prompt))), "verdicts are repeatable");
    boolean blocked = blocked(POLICY.check(prompt, Optional.empty()));
    boolean longer = blocked(POLICY.check(prompt + ". A blue mug on a table.", Optional.empty()));
    FuzzTarget.require(!blocked || longer, "a further sentence does not lift a verdict");
  }

  private static boolean blocked(List<Verdict> verdicts) {
    return !verdicts.isEmpty();
  }

  private static byte[] policy() {
    return new PolicyFuzz().seeds().get(0);
  }

  @Override
  public List<byte[]> seeds() {
    return List.of(
        "\0no blood, b l o o d, bl00d, bloоd b\u200dlood".getBytes(UTF_8),
        "\0blood orange kill switch k!ll 血 selbstmord".getBytes(UTF_8),
        "\1k\ud83d\ude80ill".getBytes(UTF_16BE));
  }
}
