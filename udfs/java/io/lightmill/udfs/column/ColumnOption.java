package io.lightmill.udfs.column;

/**
 * The job option that gives a request column its value in rows that have none.
 *
 * @param optionKey without leading dashes, such as {@code num-inference-steps}
 * @param optionLabel of its value in the help text, such as {@code PIXELS}
 * @param optionHelp one sentence
 */
public record ColumnOption(String optionKey, String optionLabel, String optionHelp) {}
