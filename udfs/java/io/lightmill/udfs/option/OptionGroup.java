package io.lightmill.udfs.option;

/** The sections of {@code lightmill generate --help}. */
public enum OptionGroup {
  PROMPTS("Prompt table"),
  OUTPUT("Output"),
  RERUN("Reruns and limits of a run"),
  MODEL("Model and devices"),
  IMAGES("Values for rows that have none in their columns"),
  EFFICIENCY("Efficiency: fewer transformer calls, at a cost in quality"),
  SAFETY("Checks of prompts and images"),
  PROVENANCE("Provenance of the images"),
  PLAN("Estimates of time and cost"),
  /** Options of the command {@code generate} itself, which programs and SQL do not have. */
  COMMAND("End of the command"),
  HOSTED("Hosted models: models behind an API"),
  /** Options of the Spark session, which a caller with a session of its own has set already. */
  SPARK("Spark session");

  private final String title;

  OptionGroup(String title) {
    this.title = title;
  }

  public String title() {
    return title;
  }
}
