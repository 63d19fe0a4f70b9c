package io.lightmill.pipeline.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;

/**
 * The character map of a SentencePiece normalizer: the length of a trie in bytes, the trie, which
 * is a double array in the layout of <a
 * href="https://github.com/s-yata/darts-clone">darts-clone</a>, and the texts to which its leaves
 * point.
 *
 * <p>The native tokenizers do not check its offsets, and abort the process if one is outside the
 * map. So this class checks every offset that a text can reach.
 */
final class PrecompiledCharsmap {

  private static final int LABELS = 0xff;

  /**
   * The last map that was sound, null before the first: nearly all checkpoints have the same one,
   * and a check takes long.
   */
  private static volatile byte[] lastSound;

  private final int[] trie;
  private final ByteBuffer texts;
  private final BitSet seen = new BitSet();
  private final Deque<Integer> nodes = new ArrayDeque<>();

  private PrecompiledCharsmap(int[] trie, ByteBuffer texts) {
    this.trie = trie;
    this.texts = texts;
  }

  /** Whether a map can normalize every text. */
  static boolean isSound(byte[] map) {
    if (!Arrays.equals(map, lastSound)) {
      if (!isSoundAnew(map)) {
        return false;
      }
      lastSound = map.clone();
    }
    return true;
  }

  private static boolean isSoundAnew(byte[] map) {
    ByteBuffer bytes = ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.remaining() < Integer.BYTES) {
      return false;
    }
    int length = bytes.getInt();
    if (length < Integer.BYTES || length % Integer.BYTES != 0 || length > bytes.remaining()) {
      return false;
    }
    int[] trie = new int[length / Integer.BYTES]; // read many times, by index
    bytes.slice(bytes.position(), length).order(bytes.order()).asIntBuffer().get(trie);
    int start = bytes.position() + length;
    ByteBuffer texts = bytes.slice(start, map.length - start);
    return isUtf8(texts) && new PrecompiledCharsmap(trie, texts).isSound();
  }

  private static boolean isUtf8(ByteBuffer texts) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(texts.duplicate());
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private boolean isSound() {
    visit(offset(trie[0]));
    while (!nodes.isEmpty()) {
      int node = nodes.remove();
      // A text may continue with any byte, even if the node has no child for it.
      if ((node | LABELS) >= trie.length || !visitChildren(node)) {
        return false;
      }
    }
    return true;
  }

  private boolean visitChildren(int node) {
    for (int label = 1; label <= LABELS; label++) {
      int unit = trie[node ^ label];
      if (label(unit) == label) {
        int child = (node ^ label) ^ offset(unit);
        if (hasLeaf(unit) && !(child < trie.length && startsText(leaf(trie[child])))) {
          return false;
        }
        visit(child);
      }
    }
    return true;
  }

  private void visit(int node) {
    if (!seen.get(node)) {
      seen.set(node);
      nodes.add(node);
    }
  }

  private boolean startsText(int index) {
    boolean within = index < texts.limit();
    boolean continuation = within && (texts.get(index) & 0xc0) == 0x80;
    return index == texts.limit() || (within && !continuation);
  }

  private static int label(int unit) {
    return unit & (1 << 31 | LABELS);
  }

  private static boolean hasLeaf(int unit) {
    return (unit >>> 8 & 1) == 1;
  }

  private static int leaf(int unit) {
    return unit & Integer.MAX_VALUE;
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }
}
