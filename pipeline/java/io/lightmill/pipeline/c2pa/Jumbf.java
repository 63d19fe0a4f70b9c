package io.lightmill.pipeline.c2pa;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A JUMBF superbox (ISO/IEC 19566-5) as C2PA uses it.
 *
 * @param kind the first four characters of its type's UUID, such as {@code c2ma}
 * @param superboxes in it
 * @param content of its first box that is no superbox; empty if there is none
 * @param hashed everything after the box's own header, which hashed URIs cover
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Jumbf(String kind, String label, List<Jumbf> superboxes, byte[] content, byte[] hashed) {

  static final String STORE = "c2pa";
  static final String MANIFEST = "c2ma";
  static final String ASSERTIONS = "c2as";
  static final String CLAIM = "c2cl";
  static final String SIGNATURE = "c2cs";
  static final String CBOR = "cbor";

  private static final String SUPERBOX = "jumb";
  private static final String DESCRIPTION = "jumd";
  private static final int HEADER = 8;
  private static final int UUID = 16;

  /** Toggles of a description box: it can be requested, and it has a label. */
  private static final byte LABELLED = 0x03;

  /** A manifest store has four levels. */
  private static final int MAX_DEPTH = 16;

  /** The last twelve bytes of the UUIDs of C2PA and of CBOR content. */
  private static final byte[] UUID_END = {
    0x00, 0x11, 0x00, 0x10, (byte) 0x80, 0x00, 0x00, (byte) 0xaa, 0x00, 0x38, (byte) 0x9b, 0x71
  };

  /** The bytes of a superbox. */
  static byte[] superbox(String kind, String label, byte[]... boxes) {
    byte[] description =
        box(DESCRIPTION, ascii(kind), UUID_END, new byte[] {LABELLED}, ascii(label + '\0'));
    byte[][] all = new byte[boxes.length + 1][];
    all[0] = description;
    System.arraycopy(boxes, 0, all, 1, boxes.length);
    return box(SUPERBOX, all);
  }

  /** The bytes of a superbox with CBOR content. */
  static byte[] cbor(String kind, String label, byte[] cbor) {
    return superbox(kind, label, box(CBOR, cbor));
  }

  /** What a hashed URI covers of a superbox. */
  static byte[] hashed(byte[] superbox) {
    return Arrays.copyOfRange(superbox, HEADER, superbox.length);
  }

  private static byte[] box(String type, byte[]... parts) {
    int length = HEADER + Arrays.stream(parts).mapToInt(part -> part.length).sum();
    ByteBuffer box = ByteBuffer.allocate(length).putInt(length).put(ascii(type));
    Arrays.stream(parts).forEach(box::put);
    return box.array();
  }

  /**
   * Reads a superbox.
   *
   * @throws MalformedManifestException if lengths, types or labels are wrong
   */
  static Jumbf read(byte[] superbox) {
    return read(ByteBuffer.wrap(superbox), 0);
  }

  private static Jumbf read(ByteBuffer in, int depth) {
    if (depth > MAX_DEPTH) {
      throw new MalformedManifestException("its boxes are nested too deeply");
    }
    ByteBuffer body = body(in, SUPERBOX);
    byte[] hashed = bytes(body);
    ByteBuffer description = body(body, DESCRIPTION);
    if (description.remaining() <= UUID) {
      throw new MalformedManifestException("a description box is too short");
    }
    String kind = string(description, Integer.BYTES);
    description.position(description.position() + UUID - Integer.BYTES);
    boolean labelled = (description.get() & 0x02) != 0;
    String label = labelled ? label(description) : "";
    List<Jumbf> superboxes = new ArrayList<>();
    byte[] content = null;
    while (body.hasRemaining()) {
      if (type(body).equals(SUPERBOX)) {
        superboxes.add(read(body, depth + 1));
      } else {
        byte[] found = bytes(body(body, type(body)));
        content = content == null ? found : content;
      }
    }
    return new Jumbf(kind, label, superboxes, content == null ? new byte[0] : content, hashed);
  }

  /** The superbox of a kind in this one. */
  Jumbf only(String wanted) {
    List<Jumbf> found = superboxes.stream().filter(box -> box.kind.equals(wanted)).toList();
    if (found.size() != 1) {
      throw new MalformedManifestException(
          "it has %d boxes of the kind '%s' instead of one".formatted(found.size(), wanted));
    }
    return found.get(0);
  }

  Optional<Jumbf> labelled(String wanted) {
    return superboxes.stream().filter(box -> box.label.equals(wanted)).findFirst();
  }

  /** The content of the next box, which is skipped. */
  private static ByteBuffer body(ByteBuffer in, String type) {
    String found = type(in);
    long length = Integer.toUnsignedLong(in.getInt(in.position()));
    if (!found.equals(type) || length < HEADER || length > in.remaining()) {
      throw new MalformedManifestException(
          "a box of type '%s' and %d bytes is at a wrong place".formatted(found, length));
    }
    ByteBuffer body = in.slice(in.position() + HEADER, (int) length - HEADER);
    in.position(in.position() + (int) length);
    return body;
  }

  private static String type(ByteBuffer in) {
    if (in.remaining() < HEADER) {
      throw new MalformedManifestException("it ends in the middle of a box");
    }
    byte[] type = new byte[Integer.BYTES];
    in.get(in.position() + Integer.BYTES, type);
    return new String(type, StandardCharsets.ISO_8859_1);
  }

  private static String label(ByteBuffer description) {
    String rest = string(description, description.remaining());
    int end = rest.indexOf('\0');
    if (end < 0) {
      throw new MalformedManifestException("the label of a box has no end");
    }
    return rest.substring(0, end);
  }

  private static String string(ByteBuffer in, int length) {
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(ByteBuffer in) {
    byte[] bytes = new byte[in.remaining()];
    in.get(in.position(), bytes);
    return bytes;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
