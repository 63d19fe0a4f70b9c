package io.lightmill.udfs.table;

import java.util.Map;

/**
 * Values of rows that have none. Where these are missing too, the checkpoint's defaults apply.
 *
 * @param values as text, by the names of the request columns
 * @param seed of the job, from which rows without a seed derive theirs
 * @param truncatePrompts whether prompts that are too long are cut instead of making their rows
 *     invalid
 */
public record RowDefaults(Map<String, String> values, long seed, boolean truncatePrompts) {

  public RowDefaults {
    values = Map.copyOf(values);
  }
}
