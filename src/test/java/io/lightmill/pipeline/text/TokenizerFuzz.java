package io.lightmill.pipeline.text;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.LightmillException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The files of tokenizers. The first byte of an input chooses a file of a small tokenizer, and the
 * rest replaces it. What opens must then read every text.
 */
public final class TokenizerFuzz implements FuzzTarget {

  private static final String TEXT =
      "ab aab  Ab\tb\n é e\u0301 藍色 👩🏽‍🚀 \ufffd \0 <|endoftext|></s> [SEP] ﬁ ﷺ Ⅷ";
  private static final int LENGTH = 16;

  /** A directory, the file that is replaced, and its content. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  private record Replaced(Path directory, String file, byte[] content, boolean classifier) {}

  private final List<Replaced> all = new ArrayList<>();

  public TokenizerFuzz() {
    String json =
        "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{\"id\":3,\"content\":\"</s>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}],\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Lowercase\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s+\"},\"content\":\""
            + " \"}]},"
            + "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,\"decoder\":null,\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"</s>\",\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":\"</w>\",\"fuse_unk\":false,\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"</s>\":3},\"merges\":[\"a"
            + " b\"]}}";
    String pad = "{\"tokenizer_class\":\"%s\",\"pad_token\":\"</s>\",\"model_max_length\":77}";
    directory(
        false, "tokenizer.json", json, "tokenizer_config.json", pad.formatted("CLIPTokenizer"));
    String vocab =
        "{\"a\":0,\"b\":1,\"ab\":2,\"a</w>\":3,\"b</w>\":4,\"ab</w>\":5,\"<|startoftext|>\":6,\"<|endoftext|>\":7}";
    String clip =
        "{\"tokenizer_class\":\"CLIPTokenizer\",\"model_max_length\":77,\"pad_token\":{\"content\":\"!\",\"lstrip\":true},\"padding_side\":\"left\"}";
    directory(
        false,
        "vocab.json",
        vocab,
        "merges.txt",
        "#version: 0.2\na b\na b</w>\n",
        "tokenizer_config.json",
        clip,
        "special_tokens_map.json",
        "{\"bos_token\":\"<|startoftext|>\",\"unk_token\":\"<|endoftext|>\"}",
        "added_tokens.json",
        "{\"<|new|>\":8}");
    String qwen =
        "{\"tokenizer_class\":\"Qwen2Tokenizer\",\"added_tokens_decoder\":{\"7\":{\"content\":\"<|endoftext|>\",\"special\":true}}}";
    directory(false, "vocab.json", vocab, "merges.txt", "a b\n", "tokenizer_config.json", qwen);
    directory(false, Map.of("spiece.model", sentencePieces("<pad>", "</s>")));
    directory(true, Map.of("spm.model", sentencePieces("[PAD]", "[CLS]", "[SEP]")));
    directory(true, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n");
    directory(
        true,
        "vocab.json",
        "{\"<s>\":0,\"<pad>\":1,\"</s>\":2,\"<unk>\":3,\"a\":4,\"b\":5,\"ab\":6,\"<mask>\":7}",
        "merges.txt",
        "a b\n",
        "tokenizer_config.json",
        "{\"add_prefix_space\":true}");
    directory(true, "tokenizer.json", json);
  }

  private void directory(boolean classifier, String... files) {
    Map<String, byte[]> contents = new LinkedHashMap<>();
    for (int i = 0; i < files.length; i += 2) {
      contents.put(files[i], files[i + 1].getBytes(UTF_8));
    }
    directory(classifier, contents);
  }

  private void directory(boolean classifier, Map<String, byte[]> files) {
    Path directory = FuzzTarget.directory();
    files.forEach(
        (name, content) -> {
          FuzzTarget.write(directory.resolve(name), content);
          all.add(new Replaced(directory, name, content, classifier));
        });
  }

  @Override
  public void run(byte[] input) {
    if (input.length == 0) {
      return;
    }
    Replaced replaced = all.get((input[0] & 0xff) % all.size());
    Path file = replaced.directory().resolve(replaced.file());
    FuzzTarget.write(file, Arrays.copyOfRange(input, 1, input.length));
    try {
      if (replaced.classifier()) {
        classifier(replaced.directory());
      } else {
        prompts(replaced.directory());
      }
    } catch (LightmillException e) {
      FuzzTarget.require(e.getMessage().length() < MOST_MESSAGE, "a message is short");
    } finally {
      FuzzTarget.write(file, replaced.content());
    }
  }

  private static void prompts(Path directory) {
    try (PromptTokenizer tokenizer = PromptTokenizer.open(directory)) {
      tokenizer.count(TEXT);
      TokenIds ids = tokenizer.encode(TEXT, LENGTH);
      FuzzTarget.require(ids.ids().length == LENGTH, "ids have the length");
      long read = Arrays.stream(ids.attentionMask()).sum();
      FuzzTarget.require(read <= LENGTH, "the mask has the length");
    } catch (IllegalArgumentException e) {
      boolean documented = e.getMessage().contains("tokens are too few for the");
      if (!documented) {
        throw e;
      }
    }
  }

  private static void classifier(Path directory) {
    try (WindowTokenizer tokenizer = WindowTokenizer.open(directory, LENGTH)) {
      for (long[] window : tokenizer.windows(TEXT)) {
        FuzzTarget.require(window.length <= LENGTH, "a window has the length");
      }
    } catch (IllegalArgumentException e) {
      boolean documented = e.getMessage().contains("tokens are too few for the");
      if (!documented) {
        throw e;
      }
    }
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      byte[] content = all.get(i).content();
      seeds.add(ByteBuffer.allocate(1 + content.length).put((byte) i).put(content).array());
    }
    return seeds;
  }

  /** A model of a few pieces with a character map that changes nothing. */
  private static byte[] sentencePieces(String... control) {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    for (String piece : control) {
      model.writeBytes(message(1, piece(piece, 0, 3)));
    }
    model.writeBytes(message(1, piece("<unk>", 0, 2)));
    model.writeBytes(message(1, piece("▁a", -1, 1)));
    model.writeBytes(message(1, piece("b", -2, 1)));
    model.writeBytes(message(2, new byte[] {3 << 3, 1}));
    ByteBuffer map = ByteBuffer.allocate(4 + 1024).order(ByteOrder.LITTLE_ENDIAN).putInt(1024);
    model.writeBytes(message(3, message(2, map.array())));
    return model.toByteArray();
  }

  private static byte[] piece(String text, float score, int type) {
    ByteArrayOutputStream piece = new ByteArrayOutputStream();
    piece.writeBytes(message(1, text.getBytes(UTF_8)));
    ByteBuffer bits = ByteBuffer.allocate(5).order(ByteOrder.LITTLE_ENDIAN);
    piece.writeBytes(bits.put((byte) (2 << 3 | 5)).putFloat(score).array());
    piece.writeBytes(new byte[] {3 << 3, (byte) type});
    return piece.toByteArray();
  }

  private static byte[] message(int field, byte[] content) {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.write(field << 3 | 2);
    int length = content.length;
    for (; length > 0x7f; length >>>= 7) {
      message.write((length & 0x7f) | 0x80);
    }
    message.write(length);
    message.writeBytes(content);
    return message.toByteArray();
  }
}
