package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.SAFETY;

import io.lightmill.pipeline.checks.LabelRule;
import io.lightmill.pipeline.policy.PromptPolicy;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The options of the prompt policy, image checks, classifiers and scorers. */
public final class CheckOptions {

  public static final Option<String> POLICY =
      Option.of(
              "policy",
              OptionType.text(),
              "FILE",
              SAFETY,
              "Prompt policy: a YAML file on any Hadoop file system, default for the policy that"
                  + " ships, or none. Rows whose prompt it blocks are not drawn.")
          .or(PromptPolicy.DEFAULT)
          .besideJobFile();

  public static final Option<BlankImages> BLANK_IMAGES =
      Option.of(
              "blank-images",
              OptionType.choice(BlankImages.class),
              "CHOICE",
              SAFETY,
              "What happens to images of one colour, as damaged weights and overflowing numbers"
                  + " draw them: fail, so that they are not stored; or keep, where such pictures"
                  + " are wanted.")
          .or(BlankImages.FAIL);

  public static final Option<String> PROMPT_CLASSIFIER =
      Option.of(
              "prompt-classifier",
              OptionType.text(),
              "LOCATION",
              SAFETY,
              "Classifier of prompts: a directory in transformers' layout with"
                  + " …ForSequenceClassification of BERT, DistilBERT, RoBERTa, XLM-RoBERTa or"
                  + " DeBERTa-v2, on any Hadoop file system.")
          .besideJobFile();

  public static final Option<Map<String, String>> PROMPT_THRESHOLD =
      Option.of(
          "prompt-threshold",
          OptionType.map(name -> true, "entries such as toxic=0.8"),
          "LABEL=SCORE",
          SAFETY,
          "Score from which a label of the prompt classifier blocks a prompt, such as toxic=0.8, or"
              + " only flags it, such as toxic=0.5:flag. Repeatable.");

  public static final Option<String> IMAGE_CLASSIFIER =
      Option.of(
              "image-classifier",
              OptionType.text(),
              "LOCATION",
              SAFETY,
              "Classifier of images: a directory in transformers' layout with"
                  + " ViTForImageClassification or diffusers' StableDiffusionSafetyChecker, on any"
                  + " Hadoop file system.")
          .besideJobFile();

  public static final Option<Map<String, String>> IMAGE_THRESHOLD =
      Option.of(
          "image-threshold",
          OptionType.map(name -> true, "entries such as nsfw=0.7"),
          "LABEL=SCORE",
          SAFETY,
          "Score from which image-action follows for a label of the image classifier, such as"
              + " nsfw=0.7; with an action of its own, such as nsfw=0.4:flag. Repeatable. The"
              + " safety checker has its own by default.");

  public static final Option<LabelRule.Action> IMAGE_ACTION =
      Option.of(
              "image-action",
              OptionType.choice(LabelRule.Action.class),
              "ACTION",
              SAFETY,
              "What happens if a score reaches its threshold: block, the image is not"
                  + " stored; flag, its row says so; retry, it is drawn again with a further seed.")
          .or(LabelRule.Action.BLOCK);

  public static final Option<Integer> IMAGE_RETRIES =
      Option.of(
              "image-retries",
              OptionType.wholeNumber(1),
              "N",
              SAFETY,
              "Maximum number of further images where the action is retry; after that the image is"
                  + " blocked.")
          .or(3);

  public static final Option<String> QUARANTINE =
      Option.of(
          "quarantine",
          OptionType.text(
              Pattern.compile(
                  "(?!(images|manifest|shards|runs|staged)$)[A-Za-z0-9][A-Za-z0-9_-]{0,62}"),
              "a name of letters, digits, dashes and underscores that Lightmill does not use"
                  + " itself"),
          "NAME",
          SAFETY,
          "Directory of the output for images that are blocked, apart from all others. By default"
              + " they are not stored.");

  public static final Option<Integer> BEST_OF =
      Option.of(
              "best-of",
              OptionType.wholeNumber(1),
              "N",
              SAFETY,
              "Images that are drawn for each requested one; the one with the best score of scorer"
                  + " is stored.")
          .or(1);

  public static final Option<String> SCORER =
      Option.of(
              "scorer",
              OptionType.text(),
              "LOCATION",
              SAFETY,
              "Scores how well an image fits its prompt: a directory in transformers' layout with"
                  + " CLIPModel or SiglipModel, on any Hadoop file system.")
          .besideJobFile();

  /** In the order of the help text. */
  static final List<Option<?>> ALL =
      List.of(
          POLICY,
          BLANK_IMAGES,
          PROMPT_CLASSIFIER,
          PROMPT_THRESHOLD,
          IMAGE_CLASSIFIER,
          IMAGE_THRESHOLD,
          IMAGE_ACTION,
          IMAGE_RETRIES,
          QUARANTINE,
          BEST_OF,
          SCORER);

  private CheckOptions() {}
}
