package io.lightmill.pipeline.policy;

import com.google.re2j.Pattern;
import io.lightmill.pipeline.Verdict;
import java.util.List;

/**
 * A category of a policy.
 *
 * @param terms that match alone
 * @param near pairs of words that match close to each other
 * @param patterns over the folded text
 * @param allow phrases in which nothing of the category matches
 * @param inNegativePrompt whether terms, pairs and patterns also match negative prompts
 * @param negativeTerms that match in negative prompts only
 * @param denied whether a match counts after a word such as {@code no}
 */
record PolicyCategory(
    String name,
    Verdict.Severity severity,
    Verdict.Action action,
    List<Term> terms,
    List<Near> near,
    List<Pattern> patterns,
    List<Term> allow,
    boolean inNegativePrompt,
    List<Term> negativeTerms,
    boolean denied) {

  /**
   * A word of one list close to a word of another.
   *
   * @param within most words from one to the other, at least 1
   */
  record Near(List<Term> of, List<Term> with, int within) {}
}
