package io.lightmill.pipeline.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The tokenizer of a classifier, which reads texts of any length in windows. Its ids are those of
 * transformers. Thread-safe.
 */
public final class WindowTokenizer implements AutoCloseable {

  /** Windows overlap by this part of their tokens. */
  private static final int OVERLAP = 4;

  private final TokenizerFile source;
  private final HuggingFaceTokenizer tokenizer;
  private final int mostTokens;

  private WindowTokenizer(TokenizerFile source, HuggingFaceTokenizer tokenizer, int mostTokens) {
    this.source = source;
    this.tokenizer = tokenizer;
    this.mostTokens = mostTokens;
  }

  /**
   * Reads the directory's {@code tokenizer.json}, or, if there is none, the files of a BERT ({@code
   * vocab.txt}), RoBERTa ({@code vocab.json}, {@code merges.txt}) or DeBERTa-v2 ({@code spm.model})
   * tokenizer.
   *
   * @param mostTokens that the network reads at once, with special tokens
   * @throws LightmillException with {@code CHECKPOINT_INVALID} that names the invalid file
   */
  public static WindowTokenizer open(Path directory, int mostTokens) {
    TokenizerFile file = new TokenizerFile(directory.resolve("tokenizer_config.json"));
    ComponentConfig config =
        new ComponentConfig(
            file.path(), file.jsonIfExists().orElseGet(JsonNodeFactory.instance::objectNode));
    int most = (int) Math.min(config.positive("model_max_length", mostTokens), mostTokens);
    TokenizerJson json = json(directory, config);
    byte[] serialized = json.toString().getBytes(StandardCharsets.UTF_8);
    try {
      return new WindowTokenizer(
          json.source(),
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(serialized), PromptTokenizer.WHOLE_TEXTS),
          most);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      throw json.source().damaged("is not a valid tokenizer (" + e.getMessage() + ")", e);
    }
  }

  private static TokenizerJson json(Path directory, ComponentConfig config) {
    TokenizerFile serialized = new TokenizerFile(directory.resolve("tokenizer.json"));
    if (serialized.exists()) {
      return new TokenizerJson(serialized, serialized.json());
    } else if (new TokenizerFile(directory.resolve("vocab.txt")).exists()) {
      return ClassifierTokenizers.wordPiece(directory, config);
    } else if (new TokenizerFile(directory.resolve("merges.txt")).exists()) {
      return ClassifierTokenizers.bytePairs(directory, config);
    } else if (new TokenizerFile(directory.resolve("spm.model")).exists()) {
      return ClassifierTokenizers.sentencePieces(directory, config);
    }
    throw new LightmillException(
        ErrorCode.CHECKPOINT_INVALID,
        "%s has no tokenizer: neither tokenizer.json nor vocab.txt, nor vocab.json and merges.txt, nor spm.model; fetch the checkpoint again, with all its files"
            .formatted(directory));
  }

  /**
   * The ids of a text, with special tokens at both ends. A text that is too long has several
   * windows, each of the most tokens, the last of them at the end of the text.
   */
  public List<long[]> windows(String text) {
    Encoding encoding = source.encode(tokenizer, text);
    long[] ids = encoding.getIds();
    if (ids.length <= mostTokens) {
      return List.of(ids);
    }
    long[] special = encoding.getSpecialTokenMask();
    int head = (int) Arrays.stream(special).takeWhile(mask -> mask == 1).count();
    int tail = 0;
    while (tail < ids.length - head && special[ids.length - 1 - tail] == 1) {
      tail++;
    }
    int body = ids.length - head - tail;
    int room = mostTokens - head - tail;
    if (room < 1) {
      throw new IllegalArgumentException(
          "%d tokens are too few for the %d special ones".formatted(mostTokens, head + tail));
    }
    List<Integer> starts =
        new ArrayList<>(
            IntStream.iterate(
                    0, start -> start < body - room, start -> start + room - room / OVERLAP)
                .boxed()
                .toList());
    starts.add(body - room);
    List<long[]> windows = new ArrayList<>();
    for (int start : starts) {
      long[] window = new long[mostTokens];
      System.arraycopy(ids, 0, window, 0, head);
      System.arraycopy(ids, head + start, window, head, room);
      System.arraycopy(ids, ids.length - tail, window, head + room, tail);
      windows.add(window);
    }
    return windows;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
