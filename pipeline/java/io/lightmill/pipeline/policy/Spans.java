package io.lightmill.pipeline.policy;

import java.util.Arrays;

/** Matches of terms in a text, in the order of their first symbols. */
final class Spans {

  private int[] term = new int[8];
  private int[] from = new int[8];
  private int[] to = new int[8];

  /** The greatest end of a span and of those before it. */
  private int[] reach = new int[8];

  private int size;

  void add(int number, int first, int end) {
    if (size == from.length) {
      term = Arrays.copyOf(term, size * 2);
      from = Arrays.copyOf(from, size * 2);
      to = Arrays.copyOf(to, size * 2);
      reach = Arrays.copyOf(reach, size * 2);
    }
    term[size] = number;
    from[size] = first;
    to[size] = end;
    reach[size] = size == 0 ? end : Math.max(reach[size - 1], end);
    size++;
  }

  int size() {
    return size;
  }

  int term(int i) {
    return term[i];
  }

  int from(int i) {
    return from[i];
  }

  int to(int i) {
    return to[i];
  }

  /** Whether one span covers all of these symbols. */
  boolean cover(int first, int end) {
    int last = firstFrom(first + 1) - 1;
    return last >= 0 && reach[last] >= end;
  }

  /** The first span that begins at a symbol or later; {@link #size} if there is none. */
  int firstFrom(int symbol) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (from[middle] < symbol) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** The last span that ends at a symbol or before; -1 if there is none close to it. */
  int lastBefore(int symbol) {
    int i = firstFrom(symbol) - 1;
    while (i >= 0 && to[i] > symbol) {
      i--;
    }
    return i;
  }
}
