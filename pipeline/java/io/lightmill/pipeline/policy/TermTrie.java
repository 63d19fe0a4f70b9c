package io.lightmill.pipeline.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The terms of a policy as a trie over folded letters. Node 0 has the terms that begin a word. */
final class TermTrie {

  static final int NONE = -1;
  static final int WORDS = 0;
  static final int ANYWHERE = 1;

  private static final int LETTER_BITS = 21;
  private static final long FREE_SLOT = -1;

  private final List<Term> terms = new ArrayList<>();
  private final Map<Long, Integer> edges = new HashMap<>();
  private final List<List<Integer>> ends = new ArrayList<>();
  private final List<Integer> letters = new ArrayList<>();

  private long[] keys;
  private int[] children;
  private int[] letterOf;
  private int[][] endsOf;
  private boolean anywhere;

  TermTrie() {
    node(0);
    node(0);
  }

  private int node(int letter) {
    letters.add(letter);
    ends.add(new ArrayList<>());
    return letters.size() - 1;
  }

  /** Adds a term, and gives its number. */
  int add(Term term) {
    terms.add(term);
    int number = terms.size() - 1;
    int node = term.openStart() ? ANYWHERE : WORDS;
    anywhere |= term.openStart();
    for (int symbol : term.symbols()) {
      long key = key(node, symbol);
      Integer child = edges.get(key);
      if (child == null) {
        child = node(symbol);
        edges.put(key, child);
      }
      node = child;
    }
    ends.get(node).add(number);
    return number;
  }

  /** Ends the building. */
  TermTrie built() {
    int capacity = Integer.highestOneBit(Math.max(8, edges.size() * 2)) * 2;
    keys = new long[capacity];
    children = new int[capacity];
    Arrays.fill(keys, FREE_SLOT);
    edges.forEach(
        (key, child) -> {
          int slot = slot(key);
          while (keys[slot] != FREE_SLOT) {
            slot = slot + 1 & keys.length - 1;
          }
          keys[slot] = key;
          children[slot] = child;
        });
    letterOf = letters.stream().mapToInt(Integer::intValue).toArray();
    endsOf =
        ends.stream()
            .map(each -> each.stream().mapToInt(Integer::intValue).toArray())
            .toArray(int[][]::new);
    edges.clear();
    return this;
  }

  int child(int node, int letter) {
    long key = key(node, letter);
    int slot = slot(key);
    while (keys[slot] != FREE_SLOT) {
      if (keys[slot] == key) {
        return children[slot];
      }
      slot = slot + 1 & keys.length - 1;
    }
    return NONE;
  }

  /** The letter that leads to a node. */
  int letter(int node) {
    return letterOf[node];
  }

  /** Numbers of the terms that end at a node. */
  int[] ends(int node) {
    return endsOf[node];
  }

  Term term(int number) {
    return terms.get(number);
  }

  /** Whether a term may begin inside of a word. */
  boolean hasOpenStarts() {
    return anywhere;
  }

  private static long key(int node, int letter) {
    return (long) node << LETTER_BITS | letter;
  }

  private int slot(long key) {
    long mixed = key * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 40) & keys.length - 1;
  }
}
