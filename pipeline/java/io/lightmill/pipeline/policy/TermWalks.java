package io.lightmill.pipeline.policy;

import java.util.Arrays;

/** The active walks of a {@link TermScan}, in parallel arrays. */
final class TermWalks {

  int[] node = new int[16];

  /** By how many a run of the text is longer than that of the term, at most 2. */
  int[] extra = new int[16];

  int[] letters = new int[16];

  /** By the weights of the signs that stand for its letters. */
  int[] disguised = new int[16];

  int[] flags = new int[16];
  int[] gap = new int[16];
  int size;

  void add(int toNode, int more, int count, int hidden, int with, int inGap) {
    for (int i = 0; i < size; i++) {
      if (node[i] == toNode && extra[i] == more && flags[i] == with && gap[i] == inGap) {
        disguised[i] = Math.min(disguised[i], hidden);
        return;
      }
    }
    if (size == node.length) {
      int capacity = size * 2;
      node = Arrays.copyOf(node, capacity);
      extra = Arrays.copyOf(extra, capacity);
      letters = Arrays.copyOf(letters, capacity);
      disguised = Arrays.copyOf(disguised, capacity);
      flags = Arrays.copyOf(flags, capacity);
      gap = Arrays.copyOf(gap, capacity);
    }
    node[size] = toNode;
    extra[size] = more;
    letters[size] = count;
    disguised[size] = hidden;
    flags[size] = with;
    gap[size++] = inGap;
  }
}
