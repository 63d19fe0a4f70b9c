package io.lightmill.pipeline.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.util.Utils;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The tokenizer of one component directory of a checkpoint, based on Hugging Face's tokenizers: its
 * ids are those of transformers. Thread-safe.
 */
public final class PromptTokenizer implements AutoCloseable {

  static final Map<String, String> WHOLE_TEXTS = Map.of("truncation", "false", "padding", "false");

  static {
    // With a GPU, DJL would look for a CUDA build of the tokenizers, if allowed over the network.
    if (Utils.getEnvOrSystemProperty("RUST_FLAVOR") == null) {
      System.setProperty("RUST_FLAVOR", "cpu");
    }
  }

  private final TokenizerFile source;
  private final HuggingFaceTokenizer tokenizer;

  /** A killed task may still tokenize when its run closes this; the native object must stay. */
  private final ReadWriteLock open = new ReentrantReadWriteLock();

  private final int padTokenId;
  private final int modelMaxLength;
  private final boolean padsLeft;
  private final boolean truncatesLeft;

  private PromptTokenizer(
      TokenizerFile source,
      HuggingFaceTokenizer tokenizer,
      int padTokenId,
      int modelMaxLength,
      boolean padsLeft,
      boolean truncatesLeft) {
    this.source = source;
    this.tokenizer = tokenizer;
    this.padTokenId = padTokenId;
    this.modelMaxLength = modelMaxLength;
    this.padsLeft = padsLeft;
    this.truncatesLeft = truncatesLeft;
  }

  /**
   * Reads the directory's {@code tokenizer.json}, or, if there is none, the files of a CLIP, T5 or
   * Qwen 2 tokenizer.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} that names the invalid file
   */
  public static PromptTokenizer open(Path directory) {
    return open(directory, TokenizerConfig.read(directory, Optional.empty()));
  }

  /** The tokenizer of a component, which is of the class that the checkpoint's index names. */
  public static PromptTokenizer open(Checkpoint checkpoint, String component) {
    Path directory = checkpoint.component(component);
    return open(
        directory,
        TokenizerConfig.read(directory, TokenizerClass.named(checkpoint.className(component))));
  }

  private static PromptTokenizer open(Path directory, TokenizerConfig config) {
    TokenizerJson json = json(directory, config);
    int padTokenId = json.id(config, "pad_token");
    int modelMaxLength = config.modelMaxLength();
    boolean padsLeft = config.padsLeft();
    boolean truncatesLeft = config.truncatesLeft();
    byte[] serialized = json.toString().getBytes(StandardCharsets.UTF_8);
    try {
      return new PromptTokenizer(
          json.source(),
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(serialized), WHOLE_TEXTS),
          padTokenId,
          modelMaxLength,
          padsLeft,
          truncatesLeft);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      throw json.source().damaged("is not a valid tokenizer (" + e.getMessage() + ")", e);
    }
  }

  private static TokenizerJson json(Path directory, TokenizerConfig config) {
    TokenizerFile serialized = new TokenizerFile(directory.resolve("tokenizer.json"));
    if (serialized.exists()) {
      return TokenizerJson.read(serialized, config);
    }
    return switch (config.tokenizerClass().orElseThrow(() -> unknown(directory, config))) {
      case CLIP -> ClipTokenizerJson.read(directory, config);
      case T5 -> T5TokenizerJson.read(directory, config);
      case QWEN2 -> BytePairVocabulary.read(directory).tokenizer("qwen2.json", config);
    };
  }

  private static LightmillException unknown(Path directory, TokenizerConfig config) {
    String message;
    if (!Files.isDirectory(directory)) {
      message = "%s is missing; fetch the checkpoint again, with its tokenizers";
    } else if (config.json().has("tokenizer_class")) {
      message =
          "%s has no tokenizer.json, and Lightmill cannot make one for the tokenizer_class "
              + config.json().json().get("tokenizer_class")
              + "; save the tokenizer with transformers' save_pretrained, which writes one";
    } else {
      message =
          "%s has neither a tokenizer.json nor a tokenizer_config.json that names its"
              + " tokenizer_class; fetch the checkpoint again, with all files of this directory";
    }
    return new LightmillException(ErrorCode.CHECKPOINT_INVALID, message.formatted(directory));
  }

  /**
   * The ids of a text, truncated or padded to a length as transformers does with {@code
   * padding="max_length", truncation=True}: special tokens are never truncated.
   *
   * @throws IllegalArgumentException if the special tokens do not fit
   */
  public TokenIds encode(String text, int maxLength) {
    Encoding encoding = tokenize(text);
    long[] whole = encoding.getIds();
    long[] fitting =
        whole.length <= maxLength
            ? whole
            : truncate(whole, encoding.getSpecialTokenMask(), maxLength);
    int start = padsLeft ? maxLength - fitting.length : 0;
    long[] ids = new long[maxLength];
    Arrays.fill(ids, padTokenId);
    System.arraycopy(fitting, 0, ids, start, fitting.length);
    long[] attentionMask = new long[maxLength];
    Arrays.fill(attentionMask, start, start + fitting.length, 1);
    return new TokenIds(ids, attentionMask);
  }

  /** Special tokens at both ends belong to the template; those in between are text. */
  private long[] truncate(long[] ids, long[] template, int length) {
    int head = 0;
    while (head < ids.length && template[head] == 1) {
      head++;
    }
    int tail = 0;
    while (tail < ids.length - head && template[ids.length - 1 - tail] == 1) {
      tail++;
    }
    int kept = length - head - tail;
    if (kept < 0) {
      throw new IllegalArgumentException(
          "%d tokens are too few for the %d special ones".formatted(length, head + tail));
    }
    int from = truncatesLeft ? ids.length - tail - kept : head;
    long[] truncated = new long[length];
    System.arraycopy(ids, 0, truncated, 0, head);
    System.arraycopy(ids, from, truncated, head, kept);
    System.arraycopy(ids, ids.length - tail, truncated, head + kept, tail);
    return truncated;
  }

  /** The length of a text in tokens, including special ones, before truncation and padding. */
  public int count(String text) {
    return tokenize(text).getIds().length;
  }

  private Encoding tokenize(String text) {
    open.readLock().lock();
    try {
      return source.encode(tokenizer, text);
    } finally {
      open.readLock().unlock();
    }
  }

  /** The longest text that the config allows; {@code Integer.MAX_VALUE} if it has no limit. */
  public int modelMaxLength() {
    return modelMaxLength;
  }

  /** Waits for texts that are being tokenized; later calls fail. */
  @Override
  public void close() {
    open.writeLock().lock();
    try {
      tokenizer.close();
    } finally {
      open.writeLock().unlock();
    }
  }
}
