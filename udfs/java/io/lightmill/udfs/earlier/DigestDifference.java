package io.lightmill.udfs.earlier;

import io.lightmill.udfs.table.RowDigests;
import java.io.Serializable;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Tells in which digests two collections differ. Its memory depends on the number of differences
 * and not on that of the digests, so that each task can have one and neither collection is
 * shuffled. It is an invertible Bloom lookup table (Eppstein, Goodrich, Uyeda and Varghese, "What's
 * the Difference? Efficient Set Reconciliation without Prior Context", 2011): a digest is added to
 * three cells, with 1 for the first collection and with -1 for the second, so that equal digests
 * cancel out. A cell with one digest names it; without that digest, its other two cells may name
 * another.
 */
final class DigestDifference implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final int CELLS_OF_DIGEST = 3;

  /** From 1.23 on, nearly all tables can be read; small ones need more. */
  private static final double CELLS_PER_DIFFERENCE = 1.5;

  private static final int FEWEST = 100;

  /** A multiplier that spreads changes over all bits: 2^64 divided by the golden ratio. */
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  /** Cells of each third, which has one cell of each digest. */
  private final int third;

  private final int[] counts;
  private final long[] first;
  private final long[] second;
  private final int[] checks;

  /**
   * An empty table.
   *
   * @param most differences that it can tell
   */
  DigestDifference(int most) {
    third = (int) (Math.max(FEWEST, most) * CELLS_PER_DIFFERENCE / CELLS_OF_DIGEST);
    counts = new int[CELLS_OF_DIGEST * third];
    first = new long[counts.length];
    second = new long[counts.length];
    checks = new int[counts.length];
  }

  /**
   * Adds a digest.
   *
   * @param digest of {@link RowDigests}
   * @param count 1 for the first collection, -1 for the second
   */
  void add(UTF8String digest, int count) {
    add(RowDigests.half(digest, 0), RowDigests.half(digest, 1), count);
  }

  private void add(long a, long b, int count) {
    int check = check(a, b);
    for (int i = 0; i < CELLS_OF_DIGEST; i++) {
      int cell = cell(a, b, i);
      counts[cell] += count;
      first[cell] ^= a;
      second[cell] ^= b;
      checks[cell] ^= check;
    }
  }

  /** Adds what was added to a table of the same size. */
  void add(DigestDifference other) {
    for (int i = 0; i < counts.length; i++) {
      counts[i] += other.counts[i];
      first[i] ^= other.first[i];
      second[i] ^= other.second[i];
      checks[i] ^= other.checks[i];
    }
  }

  /**
   * Removes the digests in which the collections differ.
   *
   * @return the digests; empty if there are too many, or if one of them differs by more than one
   */
  Optional<Set<UTF8String>> removed() {
    Set<UTF8String> found = new HashSet<>();
    Deque<Integer> cells = new ArrayDeque<>();
    for (int cell = 0; cell < counts.length; cell++) {
      cells.add(cell);
      while (!cells.isEmpty()) {
        int next = cells.remove();
        if (isOfOne(next)) {
          long a = first[next];
          long b = second[next];
          found.add(RowDigests.text(a, b));
          add(a, b, -counts[next]);
          for (int i = 0; i < CELLS_OF_DIGEST; i++) {
            cells.add(cell(a, b, i));
          }
        }
      }
    }
    return isEmpty() ? Optional.of(found) : Optional.empty();
  }

  private boolean isOfOne(int cell) {
    return Math.abs(counts[cell]) == 1 && checks[cell] == check(first[cell], second[cell]);
  }

  private boolean isEmpty() {
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] != 0 || first[i] != 0 || second[i] != 0 || checks[i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** Digests are hashes, so their bits choose the cells. */
  private int cell(long a, long b, int index) {
    long bits =
        switch (index) {
          case 0 -> a >>> Integer.SIZE;
          case 1 -> a & 0xFFFFFFFFL;
          default -> b >>> Integer.SIZE;
        };
    return index * third + (int) ((bits * third) >>> Integer.SIZE);
  }

  /** Differs from the exclusive or of the checks of several digests. */
  private static int check(long a, long b) {
    long mixed = (a ^ Long.rotateLeft(b, Integer.SIZE)) * SPREAD;
    return (int) (((mixed ^ b) * SPREAD) >>> Integer.SIZE);
  }
}
