package io.lightmill.pipeline.text;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The parts of a SentencePiece model that a T5 tokenizer needs. The field numbers are those of <a
 * href="https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto">its
 * protocol buffer</a>.
 *
 * @param pieces in the order of their ids
 * @param precompiledCharsmap the normalization of characters, compiled to a trie; may be empty
 */
record SentencePieceModel(List<Piece> pieces, ByteBuffer precompiledCharsmap) {

  private static final int MODEL_UNIGRAM = 1;

  /**
   * A piece of text.
   *
   * @param score log probability
   */
  record Piece(String text, float score, int type) {
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
  }

  static SentencePieceModel read(TokenizerFile file) {
    SentencePieceModel model;
    try {
      model = parse(ByteBuffer.wrap(file.bytes()));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw file.damaged("is not a SentencePiece model, or is truncated", e);
    }
    if (model.unknownId().isEmpty()) {
      throw file.damaged("is not a SentencePiece unigram model with an unknown piece");
    }
    return model;
  }

  private static SentencePieceModel parse(ByteBuffer message) {
    List<Piece> pieces = new ArrayList<>();
    ByteBuffer charsmap = ByteBuffer.allocate(0);
    while (message.hasRemaining()) {
      Field field = Field.next(message);
      switch (field.number()) {
        case 1 -> pieces.add(piece(field.bytes()));
        case 2 -> requireUnigram(field.bytes());
        case 3 -> charsmap = charsmap(field.bytes(), charsmap);
        default -> {} // of a later version, or not needed
      }
    }
    return new SentencePieceModel(pieces, charsmap);
  }

  private static Piece piece(ByteBuffer message) {
    String text = "";
    float score = 0;
    int type = 1;
    while (message.hasRemaining()) {
      Field field = Field.next(message);
      switch (field.number()) {
        case 1 -> text = StandardCharsets.UTF_8.decode(field.bytes()).toString();
        case 2 -> score = Float.intBitsToFloat((int) field.value());
        case 3 -> type = (int) field.value();
        default -> {} // of a later version
      }
    }
    return new Piece(text, score, type);
  }

  private static void requireUnigram(ByteBuffer trainerSpec) {
    while (trainerSpec.hasRemaining()) {
      Field field = Field.next(trainerSpec);
      if (field.number() == 3 && field.value() != MODEL_UNIGRAM) {
        throw new IllegalArgumentException("model_type is " + field.value());
      }
    }
  }

  private static ByteBuffer charsmap(ByteBuffer normalizerSpec, ByteBuffer before) {
    ByteBuffer charsmap = before;
    while (normalizerSpec.hasRemaining()) {
      Field field = Field.next(normalizerSpec);
      if (field.number() == 2) {
        charsmap = field.bytes();
      }
    }
    return charsmap;
  }

  OptionalInt unknownId() {
    for (int id = 0; id < pieces.size(); id++) {
      if (pieces.get(id).type() == Piece.UNKNOWN) {
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }

  /**
   * A field of a protocol buffer message.
   *
   * @param value of a numeric field, or 0
   * @param bytes of a string or message, or empty
   */
  private record Field(int number, long value, ByteBuffer bytes) {

    private static final ByteBuffer NONE = ByteBuffer.allocate(0);

    static Field next(ByteBuffer message) {
      message.order(ByteOrder.LITTLE_ENDIAN);
      long tag = varint(message);
      int number = (int) (tag >>> 3);
      return switch ((int) tag & 7) {
        case 0 -> new Field(number, varint(message), NONE);
        case 1 -> new Field(number, message.getLong(), NONE);
        case 2 -> new Field(number, 0, bytes(message, varint(message)));
        case 5 -> new Field(number, message.getInt(), NONE);
        default -> throw new IllegalArgumentException("wire type " + (tag & 7));
      };
    }

    private static ByteBuffer bytes(ByteBuffer message, long length) {
      if (length < 0 || length > message.remaining()) {
        throw new BufferUnderflowException();
      }
      ByteBuffer bytes = message.slice(message.position(), (int) length);
      message.position(message.position() + (int) length);
      return bytes;
    }

    private static long varint(ByteBuffer message) {
      long value = 0;
      for (int shift = 0; shift < Long.SIZE; shift += 7) {
        byte next = message.get();
        value |= (long) (next & 0x7f) << shift;
        if (next >= 0) {
          return value;
        }
      }
      throw new IllegalArgumentException("a number of more than 64 bits");
    }
  }
}
