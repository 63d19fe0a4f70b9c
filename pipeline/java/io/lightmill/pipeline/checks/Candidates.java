package io.lightmill.pipeline.checks;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Screening;
import io.lightmill.pipeline.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** What has been drawn for one request, and which of it is the result. */
final class Candidates {

  private final ImageRequest request;
  private final CheckSettings settings;
  private final Map<String, Double> promptScores;
  private final List<Verdict> promptVerdicts;
  private final List<Screening.Draw> draws = new ArrayList<>();
  private Candidate best;
  private Candidate blocked;
  private LightmillException failure;

  /** Evaluations of the transformer for all draws; empty if one does not count them. */
  private OptionalInt calls = OptionalInt.of(0);

  /** The price of all draws; empty if none has one. */
  private OptionalDouble cost = OptionalDouble.empty();

  /**
   * An image and what was found of it.
   *
   * @param index of its draw
   * @param retried whether all rules that block it say retry
   */
  private record Candidate(
      int index, ImageResult drawn, List<Verdict> verdicts, double score, boolean retried) {}

  Candidates(ImageRequest request, CheckSettings settings, Map<String, Double> promptScores) {
    this.request = request;
    this.settings = settings;
    this.promptScores = promptScores;
    this.promptVerdicts =
        LabelRule.verdicts(
            settings.prompts(), promptScores, Verdict.Stage.PROMPT, settings.digest());
  }

  /** Whether anything is to be drawn. */
  boolean drawable() {
    return !Verdict.block(promptVerdicts);
  }

  /** Whether a further image may pass where the last one was blocked. */
  boolean wantsRetry() {
    return best == null && blocked != null && blocked.retried && failure == null;
  }

  /** The request of the next draw. */
  ImageRequest next() {
    return request.toBuilder().seed(FurtherSeed.of(request.seed(), draws.size())).build();
  }

  /** Counts what a draw took. */
  void addFacts(DrawingFacts facts) {
    calls =
        calls.isPresent() && facts.transformerCalls().isPresent()
            ? OptionalInt.of(calls.getAsInt() + facts.transformerCalls().getAsInt())
            : OptionalInt.empty();
    if (facts.cost().isPresent()) {
      cost = OptionalDouble.of(cost.orElse(0) + facts.cost().getAsDouble());
    }
  }

  /** Adds a draw that the pipeline itself blocks, as hosted models do. */
  void addBlocked(ImageResult drawn) {
    blocked = new Candidate(draws.size(), drawn, drawn.facts().verdicts(), 0, false);
    add(Map.of(), OptionalDouble.empty(), Screening.Fate.BLOCKED);
  }

  /**
   * A lost answer, whose image may have been paid, is not hidden by the failure of a later draw.
   */
  void addFailure(LightmillException reason) {
    if (failure == null || failure.code() != ErrorCode.PROVIDER_ANSWER_LOST) {
      failure = reason;
    }
    add(Map.of(), OptionalDouble.empty(), Screening.Fate.FAILED);
  }

  void addImage(ImageResult drawn, Map<String, Double> labels, OptionalDouble score) {
    List<Verdict> verdicts =
        LabelRule.verdicts(settings.images(), labels, Verdict.Stage.IMAGE, settings.digest());
    boolean blocks = Verdict.block(verdicts);
    boolean retried =
        LabelRule.applied(settings.images(), labels)
            .noneMatch(rule -> rule.action() == LabelRule.Action.BLOCK);
    double rank = score.orElse(0);
    Candidate candidate = new Candidate(draws.size(), drawn, verdicts, rank, retried);
    if (blocks) {
      blocked = candidate;
    } else if (best == null || rank > best.score || Double.isNaN(best.score)) {
      best = candidate;
    }
    add(labels, score, blocks ? Screening.Fate.BLOCKED : Screening.Fate.PASSED);
  }

  private void add(Map<String, Double> labels, OptionalDouble score, Screening.Fate fate) {
    draws.add(new Screening.Draw(next().seed(), labels, score, fate));
  }

  /**
   * The result: the best image that passed, else the last one that was blocked, else the last
   * failure.
   *
   * @param screened whether scores belong to the result
   */
  ImageResult result(boolean screened) {
    Candidate chosen = best != null ? best : blocked;
    OptionalInt index = chosen == null ? OptionalInt.empty() : OptionalInt.of(chosen.index);
    Optional<Screening> screening =
        screened ? Optional.of(new Screening(promptScores, draws, index)) : Optional.empty();
    if (!drawable()) {
      return new ImageResult(
          Optional.empty(),
          Optional.empty(),
          new DrawingFacts(promptVerdicts, OptionalInt.empty(), screening));
    } else if (chosen == null) {
      return new ImageResult(
          Optional.empty(),
          Optional.of(failure),
          new DrawingFacts(List.of(), calls, screening, cost));
    }
    boolean keep = best != null || settings.quarantine();
    return new ImageResult(
        keep ? chosen.drawn.image() : Optional.empty(),
        Optional.empty(),
        new DrawingFacts(
            Stream.concat(promptVerdicts.stream(), chosen.verdicts.stream()).toList(),
            calls,
            screening,
            cost));
  }
}
