package io.lightmill.udfs.table;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Decodes a text file: UTF-16 if it starts with the byte order mark of UTF-16 or with an ASCII
 * character of two bytes, else UTF-8, with or without a mark. Bytes that are not of the encoding
 * become U+FFFD, and their place is kept until {@link #badBytes} asks for it.
 */
final class DecodedText extends Reader {

  /**
   * Bytes that cannot be decoded.
   *
   * @param line from 1
   * @param place of the first byte in the line, from 1
   * @param value of the first byte
   */
  record BadBytes(long line, long place, int value, Charset charset) {

    /** Names the byte; callers add the file. */
    String sentence(String file, long linesBefore) {
      return "byte %d of line %d of '%s' (0x%02X) is not %s; save the table in UTF-8"
          .formatted(place, linesBefore + line, file, value, charset);
    }
  }

  private static final int BUFFER = 1 << 16;

  private final InputStream in;
  private final CharsetDecoder decoder;
  private final int unit;
  private final ByteBuffer bytes = ByteBuffer.allocate(BUFFER);
  private final Deque<BadBytes> bad = new ArrayDeque<>();
  private boolean ended;
  private boolean flushed;

  /** The line of the next byte, from 1, and the bytes of that line so far. */
  private long line = 1;

  private long placeInLine;
  private boolean afterReturn;

  /**
   * @param fromStart whether the stream starts at the first byte of a file
   */
  DecodedText(InputStream in, boolean fromStart) throws IOException {
    this.in = in;
    bytes.flip();
    fill();
    Charset charset = fromStart ? charset() : StandardCharsets.UTF_8;
    unit = charset.equals(StandardCharsets.UTF_8) ? 1 : 2;
    decoder =
        charset
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
  }

  /** Tells the encoding and skips the byte order mark. */
  private Charset charset() {
    int first = at(0);
    int second = at(1);
    if (first == 0xEF && second == 0xBB && at(2) == 0xBF) {
      skip(3);
      return StandardCharsets.UTF_8;
    }
    if (first == 0xFF && second == 0xFE) {
      skip(2);
      return StandardCharsets.UTF_16LE;
    }
    if (first == 0xFE && second == 0xFF) {
      skip(2);
      return StandardCharsets.UTF_16BE;
    }
    if (first > 0 && second == 0) {
      return StandardCharsets.UTF_16LE;
    }
    return first == 0 && second > 0 ? StandardCharsets.UTF_16BE : StandardCharsets.UTF_8;
  }

  /**
   * Whether each line can be decoded without those before it, since no line end is a part of a
   * character.
   */
  boolean divisible() {
    return unit == 1;
  }

  private int at(int index) {
    return index < bytes.remaining() ? bytes.get(bytes.position() + index) & 0xFF : -1;
  }

  private void skip(int count) {
    bytes.position(bytes.position() + count);
    placeInLine += count;
  }

  /** Reads until the buffer is full or the stream ends. */
  private void fill() throws IOException {
    bytes.compact();
    while (bytes.hasRemaining() && !ended) {
      int read = in.read(bytes.array(), bytes.position(), bytes.remaining());
      if (read < 0) {
        ended = true;
      } else {
        bytes.position(bytes.position() + read);
      }
    }
    bytes.flip();
  }

  @Override
  public int read(char[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (flushed) {
      return -1;
    }
    CharBuffer chars = CharBuffer.wrap(target, offset, length).slice();
    while (chars.position() == 0) {
      if (bytes.remaining() < 4 && !ended) {
        fill();
      }
      int before = bytes.position();
      CoderResult result = decoder.decode(bytes, chars, ended);
      count(before, bytes.position());
      if (result.isError()) {
        replace(result, chars);
      } else if (result.isUnderflow() && !ended) {
        fill();
      } else if (result.isUnderflow() && chars.position() == 0) {
        flushed = true; // UTF-8 and UTF-16 leave nothing to be flushed
        return -1;
      }
    }
    return chars.position();
  }

  private void replace(CoderResult result, CharBuffer chars) {
    if (!chars.hasRemaining()) {
      return; // the decoder reports the same bytes again
    }
    int before = bytes.position();
    bad.add(new BadBytes(line, placeInLine + 1, bytes.get(before) & 0xFF, decoder.charset()));
    bytes.position(before + result.length());
    count(before, bytes.position());
    chars.put('\uFFFD');
  }

  /** Counts lines: each of LF, CR and CR LF ends one. */
  private void count(int from, int to) {
    byte[] array = bytes.array();
    int low = unit == 2 && decoder.charset().equals(StandardCharsets.UTF_16BE) ? 1 : 0;
    for (int i = from; i + unit <= to; i += unit) {
      byte b = array[i + low];
      boolean ascii = unit == 1 || array[i + 1 - low] == 0;
      placeInLine += unit;
      if (ascii && b == '\n') {
        line += afterReturn ? 0 : 1;
        placeInLine = 0;
        afterReturn = false;
      } else if (ascii && b == '\r') {
        line++;
        placeInLine = 0;
        afterReturn = true;
      } else {
        afterReturn = false;
      }
    }
  }

  /**
   * The first bytes up to a line that cannot be decoded, once; bytes of earlier lines that nobody
   * has asked for are forgotten.
   *
   * @param first line, from 1
   * @param last line, included
   */
  Optional<BadBytes> badBytes(long first, long last) {
    BadBytes found = null;
    while (!bad.isEmpty() && bad.peek().line() <= last) {
      BadBytes next = bad.remove();
      if (found == null && next.line() >= first) {
        found = next;
      }
    }
    return Optional.ofNullable(found);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
