package io.lightmill.udfs.table;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.column.ColumnValues;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.RowError;
import java.util.List;

/**
 * The request of one table row. A value that cannot be read is null, and has an error.
 *
 * @param values with the defaults of the job and of the checkpoint; the seed is null if the row has
 *     none
 * @param variants how many images the row requests, each a manifest row; 1 if that is invalid
 * @param truncated whether a prompt has more tokens than the text encoder reads
 * @param errors in the order of the columns; empty if the row is valid
 */
public record RowRequest(
    ColumnValues values, int variants, boolean truncated, List<RowError> errors) {

  public RowRequest {
    errors = List.copyOf(errors);
  }

  /** A row of which nothing can be read. */
  static RowRequest unread(List<RowError> errors) {
    return new RowRequest(ColumnValues.NONE, 1, false, errors);
  }

  public <T> T value(RequestColumn<T> column) {
    return values.of(column);
  }

  /** The request for one image of a valid row. */
  public ImageRequest request(long seed) {
    return RequestColumns.request(values).toBuilder().seed(seed).build();
  }
}
