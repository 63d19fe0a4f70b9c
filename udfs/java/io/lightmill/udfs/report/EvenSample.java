package io.lightmill.udfs.report;

import java.util.List;
import java.util.stream.IntStream;

/** Chooses a few of many at even distances, the first and the last among them. */
public final class EvenSample {

  private EvenSample() {}

  /** At most {@code most} items (at least 2), in their order. */
  public static <T> List<T> of(List<T> items, int most) {
    if (most < 2) {
      throw new IllegalArgumentException("a sample of " + most);
    }
    if (items.size() <= most) {
      return items;
    }
    int last = items.size() - 1;
    return IntStream.range(0, most)
        .mapToObj(i -> items.get((int) ((long) i * last / (most - 1))))
        .toList();
  }
}
