package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One thing that is wrong with one row.
 *
 * @param message names the column, what is wrong with its value, and the fix; the row's id is named
 *     around it
 */
public record RowError(ErrorCode code, String message) {

  /** All messages as one. */
  public static String listed(List<RowError> errors) {
    return errors.stream().map(RowError::message).collect(Collectors.joining("; "));
  }
}
