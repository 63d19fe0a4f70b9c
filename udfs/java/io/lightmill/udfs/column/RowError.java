package io.lightmill.udfs.column;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.InvisibleCharacters;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One error in one row.
 *
 * @param message names the column, what is wrong with its value, and the fix; callers add the id of
 *     the row
 */
public record RowError(ErrorCode code, String message) {

  public RowError {
    message = InvisibleCharacters.escaped(message);
  }

  /** All messages as one. */
  public static String listed(List<RowError> errors) {
    return errors.stream().map(RowError::message).collect(Collectors.joining("; "));
  }
}
