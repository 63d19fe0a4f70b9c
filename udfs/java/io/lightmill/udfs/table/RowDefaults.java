package io.lightmill.udfs.table;

import java.util.Map;

/**
 * What rows have where their columns have no value; where this has none either, the checkpoint
 * decides.
 *
 * @param values by the names of the columns
 * @param seed of the run, from which rows without a seed derive theirs
 * @param truncatePrompts truncate prompts that are too long, instead of rejecting their rows
 */
public record RowDefaults(Map<String, String> values, long seed, boolean truncatePrompts) {}
