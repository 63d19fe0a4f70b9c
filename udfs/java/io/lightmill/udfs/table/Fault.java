package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One thing that is wrong with one row.
 *
 * @param message names the column, what is wrong with its value, and the mend; the row's id is
 *     named around it
 */
public record Fault(ErrorCode code, String message) {

  /** All messages as one. */
  public static String listed(List<Fault> faults) {
    return faults.stream().map(Fault::message).collect(Collectors.joining("; "));
  }
}
