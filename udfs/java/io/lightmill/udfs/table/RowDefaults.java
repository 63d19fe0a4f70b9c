package io.lightmill.udfs.table;

import java.util.Map;
import java.util.Set;

/**
 * Values of rows that have none. Where these are missing too, the checkpoint's defaults apply.
 *
 * @param values as text, by the names of the request columns
 * @param seed of the job, from which rows without a seed derive theirs
 * @param truncatePrompts whether prompts that are too long are cut instead of making their rows
 *     invalid
 * @param refused names of columns that may have no values, since the model does not get them
 */
public record RowDefaults(
    Map<String, String> values, long seed, boolean truncatePrompts, Set<String> refused) {

  public RowDefaults {
    values = Map.copyOf(values);
    refused = Set.copyOf(refused);
  }

  /** Values of a job whose model gets all columns. */
  public RowDefaults(Map<String, String> values, long seed, boolean truncatePrompts) {
    this(values, seed, truncatePrompts, Set.of());
  }
}
