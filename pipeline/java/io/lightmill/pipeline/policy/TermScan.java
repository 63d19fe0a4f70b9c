package io.lightmill.pipeline.policy;

/**
 * Finds terms in a text, in one pass and in linear time: from each place where a term may begin it
 * walks the trie, at most {@value Term#MOST_SYMBOLS} runs of letters deep.
 *
 * <p>A term matches also in disguise: letters repeated ({@code nuuude}: at least three of them, or
 * two vowels), letters apart ({@code n u d e}, {@code n.u.d.e}, {@code nu-de}), and signs for
 * letters ({@code n*de}) or digits for at most half of them ({@code nud3}).
 */
final class TermScan {

  /** Receives matches. */
  interface Sink {
    /**
     * @param from first symbol
     * @param to symbol after the last one
     */
    void match(int term, int from, int to);
  }

  /** Every letter so far is apart from the next. */
  private static final int APART = 1;

  private static final int HAD_SPACE = 2;
  private static final int HAD_SIGN = 4;
  private static final int AFTER_SPACE = 8;
  private static final int AFTER_SIGN = 16;

  /** Between two words of the term. */
  private static final int BETWEEN = 32;

  private static final int AFTER = AFTER_SPACE | AFTER_SIGN;
  private static final int MOST_IN_GAP = 3;
  private static final int MOST_IN_TAIL = 24;
  private static final int FEWEST_APART = 3;
  private static final int LONG_RUN = 2;
  private static final int LETTER_BITS = 8;
  private static final int LETTER_MASK = 0xFF;

  private final TermTrie trie;
  private final FoldedText text;
  private final Sink sink;
  private TermWalks now = new TermWalks();
  private TermWalks next = new TermWalks();
  private int start;
  private long steps;

  TermScan(TermTrie trie, FoldedText text, Sink sink) {
    this.trie = trie;
    this.text = text;
    this.sink = sink;
  }

  void run() {
    for (int i = 0; i < text.length; i++) {
      if (text.kind[i] != FoldedText.SPACE) {
        if (text.wordStart[i]) {
          walk(TermTrie.WORDS, i);
        }
        if (trie.hasOpenStarts()) {
          walk(TermTrie.ANYWHERE, i);
        }
      }
    }
  }

  /** Walks times symbols so far: what the time is proportional to. */
  long steps() {
    return steps;
  }

  private void walk(int root, int from) {
    start = from;
    now.size = 0;
    begin(root, text.letter[from], from, 0);
    for (long all = text.standIns[from]; all != 0; all >>>= LETTER_BITS) {
      begin(root, (int) (all & LETTER_MASK), from, weight(from));
    }
    accept(from);
    for (int i = from + 1; i < text.length && now.size > 0; i++) {
      step(i);
      TermWalks last = now;
      now = next;
      next = last;
      accept(i);
    }
  }

  /** A walk from the second letter of a run would find what the walk from the first one does. */
  private void begin(int root, int letter, int at, int disguised) {
    boolean run = at > 0 && text.kind[at - 1] == FoldedText.LETTER && text.letter[at - 1] == letter;
    int child = run ? TermTrie.NONE : trie.child(root, letter);
    if (child != TermTrie.NONE) {
      now.add(child, 0, 1, disguised, APART, 0);
      tail(now, child, 1, disguised, APART);
    }
  }

  /**
   * After this letter the word may have any ending, of which {@link #MOST_IN_TAIL} letters count.
   */
  private void tail(TermWalks states, int node, int letters, int disguised, int flags) {
    int tail = trie.child(node, Term.TAIL);
    if (tail != TermTrie.NONE) {
      states.add(tail, 0, letters, disguised, flags, 0);
    }
  }

  /** Digits are more often what they seem to be than signs inside of a word are. */
  private int weight(int at) {
    return text.kind[at] == FoldedText.SIGN ? 1 : 2;
  }

  private void step(int at) {
    next.size = 0;
    steps += now.size;
    byte kind = text.kind[at];
    for (int s = 0; s < now.size; s++) {
      if (kind != FoldedText.SPACE) {
        consume(s, text.letter[at], 0, kind);
        for (long all = text.standIns[at]; all != 0; all >>>= LETTER_BITS) {
          consume(s, (int) (all & LETTER_MASK), weight(at), kind);
        }
      }
      if (kind == FoldedText.SPACE || kind == FoldedText.SIGN) {
        skip(s, at, kind == FoldedText.SPACE);
      }
    }
  }

  private void consume(int s, int letter, int disguised, byte kind) {
    int flags = now.flags[s];
    int node = now.node[s];
    if (trie.letter(node) == Term.TAIL) {
      if (disguised == 0 && kind == FoldedText.LETTER && now.gap[s] < MOST_IN_TAIL) {
        next.add(node, 0, now.letters[s], now.disguised[s], flags, now.gap[s] + 1);
      }
      return;
    }
    if ((flags & BETWEEN) == 0) {
      if ((flags & AFTER) == 0) {
        if (disguised == 0 && letter == trie.letter(node) && kind == FoldedText.LETTER) {
          next.add(
              node,
              Math.min(LONG_RUN, now.extra[s] + 1),
              now.letters[s],
              now.disguised[s],
              flags,
              0);
        }
        if ((flags & HAD_SPACE) != 0) {
          return;
        }
        flags &= ~APART;
      } else {
        if ((flags & AFTER_SPACE) != 0) {
          flags |= HAD_SPACE;
        }
        flags = (flags | HAD_SIGN) & ~AFTER;
      }
      if (!mayEndRun(s)) {
        return;
      }
    }
    int child = trie.child(node, letter);
    if (child != TermTrie.NONE) {
      int letters = now.letters[s] + 1;
      int hidden = now.disguised[s] + disguised;
      next.add(child, 0, letters, hidden, flags & ~BETWEEN, 0);
      tail(next, child, letters, hidden, flags & ~BETWEEN);
    }
  }

  private void skip(int s, int at, boolean space) {
    int flags = now.flags[s];
    int node = now.node[s];
    int gap = now.gap[s];
    if ((flags & BETWEEN) != 0) {
      if (gap < MOST_IN_GAP) {
        next.add(node, 0, now.letters[s], now.disguised[s], flags, gap + 1);
      }
      return;
    }
    if ((flags & (AFTER | HAD_SPACE)) == 0 && mayEndRun(s)) {
      int word = trie.child(node, ' ');
      if (word != TermTrie.NONE) {
        next.add(word, 0, now.letters[s], now.disguised[s], (flags & ~APART) | BETWEEN, 1);
      }
    }
    if (trie.letter(node) == Term.TAIL) {
      return;
    }
    boolean apart = (flags & APART) != 0;
    boolean splits = space ? apart : Folding.splits(text.letter[at]);
    if (splits && gap < (apart ? MOST_IN_GAP : 1)) {
      next.add(
          node,
          now.extra[s],
          now.letters[s],
          now.disguised[s],
          flags | (space ? AFTER_SPACE : AFTER_SIGN),
          gap + 1);
    }
  }

  /** A run that is one letter too long may be another word, unless the letter is a vowel. */
  private boolean mayEndRun(int s) {
    return now.extra[s] != 1 || (now.letters[s] >= 2 && Folding.isVowel(trie.letter(now.node[s])));
  }

  private void accept(int at) {
    for (int s = 0; s < now.size; s++) {
      if ((now.flags[s] & (AFTER | BETWEEN)) == 0) {
        for (int term : trie.ends(now.node[s])) {
          if (accepts(s, trie.term(term), at + 1)) {
            sink.match(term, start, at + 1);
          }
        }
      }
    }
  }

  private boolean accepts(int s, Term term, int end) {
    int flags = now.flags[s];
    int letters = now.letters[s];
    boolean hidden =
        now.extra[s] > 0 || now.disguised[s] > 0 || (flags & (HAD_SPACE | HAD_SIGN)) != 0;
    if (hidden && term.exact()) {
      return false;
    }
    if (!mayEndRun(s) || !endsWord(term, end)) {
      return false;
    }
    if (now.disguised[s] > (letters > FEWEST_APART ? letters : letters - 1)) {
      return false;
    }
    boolean free = text.kind[start] == FoldedText.FREE;
    if ((flags & (HAD_SPACE | HAD_SIGN)) != 0 && !free && letters < FEWEST_APART) {
      return false;
    }
    return (flags & HAD_SPACE) == 0 || free || (!letterBefore() && !letterAfter(end));
  }

  private boolean endsWord(Term term, int end) {
    if (term.openEnd()) {
      return true;
    }
    boolean signAsLetter =
        text.kind[end - 1] == FoldedText.SIGN
            && trie.child(TermTrie.WORDS, text.letter[end - 1]) == TermTrie.NONE
            && end < text.length
            && text.kind[end] == FoldedText.LETTER;
    return text.endsBefore(end) && !signAsLetter;
  }

  /** Whether the letters apart began before the term, but for a word of one letter. */
  private boolean letterBefore() {
    int before = single(start - 1, -1);
    if (before < 0) {
      return false;
    }
    int letter = text.letter[before];
    return !(letter == 'a' || letter == 'i') || single(before - 1, -1) >= 0;
  }

  private boolean letterAfter(int end) {
    return single(end, 1) >= 0;
  }

  /** The word of one letter next to a place, beyond one space; -1 if there is none. */
  private int single(int gap, int step) {
    int at = gap + step;
    boolean word =
        gap >= 0
            && gap < text.length
            && text.kind[gap] == FoldedText.SPACE
            && at >= 0
            && at < text.length
            && text.kind[at] == FoldedText.LETTER;
    int beyond = at + step;
    return word && (beyond < 0 || beyond >= text.length || text.kind[beyond] != FoldedText.LETTER)
        ? at
        : -1;
  }
}
