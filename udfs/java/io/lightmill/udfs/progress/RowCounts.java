package io.lightmill.udfs.progress;

import io.lightmill.udfs.ImageStatus;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.Map;

/**
 * The rows of a partition so far, in one attempt at it.
 *
 * @param byStatus rows of the manifest
 * @param deviceMillis time that devices spent on them
 */
record RowCounts(Map<ImageStatus, Long> byStatus, double deviceMillis) implements Serializable {

  static final RowCounts NONE = new RowCounts(Map.of(), 0);

  RowCounts {
    byStatus = Map.copyOf(byStatus);
  }

  /** These rows and one more. */
  RowCounts and(ImageStatus status, double millis) {
    Map<ImageStatus, Long> more = new EnumMap<>(ImageStatus.class);
    more.putAll(byStatus);
    more.merge(status, 1L, Long::sum);
    return new RowCounts(more, deviceMillis + millis);
  }

  /** By how much these rows exceed others; never less than nothing. */
  RowCounts beyond(RowCounts others) {
    Map<ImageStatus, Long> more = new EnumMap<>(ImageStatus.class);
    byStatus.forEach(
        (status, rows) ->
            more.put(status, Math.max(0, rows - others.byStatus.getOrDefault(status, 0L))));
    return new RowCounts(more, Math.max(0, deviceMillis - others.deviceMillis));
  }

  /** The maximum of each count of two attempts. */
  RowCounts or(RowCounts others) {
    Map<ImageStatus, Long> most = new EnumMap<>(ImageStatus.class);
    most.putAll(others.byStatus);
    byStatus.forEach((status, rows) -> most.merge(status, rows, Math::max));
    return new RowCounts(most, Math.max(deviceMillis, others.deviceMillis));
  }
}
