package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checks.CheckSettings;
import io.lightmill.pipeline.checks.LabelRule;
import io.lightmill.pipeline.classify.ClassifierInfo;
import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.pipeline.classify.ImageScorer;
import io.lightmill.pipeline.classify.PromptClassifier;
import io.lightmill.udfs.device.CheckModel;
import io.lightmill.udfs.device.CheckedLoader;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.option.BlankImages;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.store.SharedConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;

/** The checks of prompts and images that the options of a run request. */
final class RequestedChecks {

  private static final int FLOAT_BYTES = 4;

  /** Labels that an error message lists. */
  private static final int SHOWN_LABELS = 20;

  private final GenerationOptions options;
  private final Configuration hadoop;
  private final List<CheckModel> models = new ArrayList<>();

  private RequestedChecks(GenerationOptions options, Configuration hadoop) {
    this.options = options;
    this.hadoop = hadoop;
  }

  /**
   * The checkpoint with its checks.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if options contradict each other
   *     or name a label that a classifier lacks, and if a classifier cannot be opened
   */
  static JobCheckpoint applied(
      JobCheckpoint checkpoint, GenerationOptions options, Configuration hadoop) {
    RequestedChecks requested = new RequestedChecks(options, hadoop);
    CheckSettings settings = requested.settings();
    return new JobCheckpoint(
        checkpoint.model().withChecks(settings.digest()),
        checkpoint.limits(),
        new CheckedLoader(
            checkpoint.loader(), settings, requested.models, new SharedConfiguration(hadoop)));
  }

  private CheckSettings settings() {
    options.requireChecks();
    List<LabelRule> prompts =
        rules(
            CheckModel.Kind.PROMPT,
            CheckOptions.PROMPT_CLASSIFIER,
            CheckOptions.PROMPT_THRESHOLD,
            PromptClassifier::describe);
    List<LabelRule> images =
        rules(
            CheckModel.Kind.IMAGE,
            CheckOptions.IMAGE_CLASSIFIER,
            CheckOptions.IMAGE_THRESHOLD,
            ImageClassifier::describe);
    options
        .find(CheckOptions.SCORER)
        .ifPresent(at -> open(CheckModel.Kind.SCORER, at, ImageScorer::describe));
    int bestOf = options.get(CheckOptions.BEST_OF);
    boolean retry = images.stream().anyMatch(rule -> rule.action() == LabelRule.Action.RETRY);
    return new CheckSettings(
        options.get(CheckOptions.BLANK_IMAGES) == BlankImages.KEEP,
        prompts,
        images,
        bestOf,
        retry ? options.get(CheckOptions.IMAGE_RETRIES) : 0,
        options.find(CheckOptions.QUARANTINE).isPresent(),
        digest(prompts, images, bestOf, retry));
  }

  private List<LabelRule> rules(
      CheckModel.Kind kind,
      Option<String> classifier,
      Option<Map<String, String>> thresholds,
      Function<ModelDirectory, ClassifierInfo> describe) {
    if (options.find(classifier).isEmpty()) {
      return List.of();
    }
    String location = options.get(classifier);
    ClassifierInfo info = open(kind, location, describe);
    Map<String, String> given = new TreeMap<>();
    options.entries(thresholds).forEach((label, text) -> given.put(label(info, label), text));
    if (given.isEmpty()) {
      info.thresholds().forEach((label, score) -> given.put(label, score.toString()));
    }
    Optional<String> unknown =
        given.keySet().stream().filter(label -> !info.labels().contains(label)).findFirst();
    if (given.isEmpty() || unknown.isPresent()) {
      throw invalid(
          "option '%s' %s; the classifier '%s' has the labels %s: give at least one of them a threshold, such as %s=0.7"
              .formatted(
                  thresholds,
                  unknown.map("names the label '%s'"::formatted).orElse("is missing"),
                  location,
                  info.labels().stream().limit(SHOWN_LABELS).collect(Collectors.joining(", ")),
                  info.labels().get(info.labels().size() - 1)));
    }
    boolean drawn = kind == CheckModel.Kind.IMAGE;
    LabelRule.Action standard =
        drawn ? options.get(CheckOptions.IMAGE_ACTION) : LabelRule.Action.BLOCK;
    List<LabelRule> rules =
        given.entrySet().stream()
            .map(rule -> LabelRule.parse(rule.getKey(), rule.getValue(), standard))
            .toList();
    if (!drawn && rules.stream().anyMatch(rule -> rule.action() == LabelRule.Action.RETRY)) {
      throw invalid(
          "option '%s' says retry, but a prompt stays the same; use block or flag"
              .formatted(thresholds));
    }
    return rules;
  }

  /** The classifier's spelling of a label: keys of a DataFrameWriter's options lose their case. */
  private static String label(ClassifierInfo info, String given) {
    return info.labels().contains(given)
        ? given
        : info.labels().stream().filter(given::equalsIgnoreCase).findFirst().orElse(given);
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }

  private ClassifierInfo open(
      CheckModel.Kind kind, String location, Function<ModelDirectory, ClassifierInfo> describe) {
    ModelDirectory directory = CheckModel.localize(location, hadoop);
    ClassifierInfo info = describe.apply(directory);
    models.add(new CheckModel(kind, location, directory.digest(), info.parameters() * FLOAT_BYTES));
    return info;
  }

  /** The digest of the checks, a part of the identity of images; empty without checks. */
  private String digest(
      List<LabelRule> prompts, List<LabelRule> images, int bestOf, boolean retry) {
    if (prompts.isEmpty() && images.isEmpty() && bestOf == 1) {
      return "";
    }
    int retries = retry ? options.get(CheckOptions.IMAGE_RETRIES) : 0;
    String described =
        models.stream()
                .filter(model -> model.kind() != CheckModel.Kind.SCORER || bestOf > 1)
                .map(model -> "%s %s\n".formatted(model.kind(), model.digest()))
                .sorted()
                .collect(Collectors.joining())
            + "prompts %s\nimages %s\nbest-of %d\nretries %d\n"
                .formatted(prompts, images, bestOf, retries);
    return DigestUtils.sha256Hex(described);
  }
}
