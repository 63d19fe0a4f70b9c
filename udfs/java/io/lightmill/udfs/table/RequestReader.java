package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.PromptLength;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.Row;

/** Reads what one table row asks for, and says everything that is wrong with it at once. */
public final class RequestReader {

  private static final BigInteger LEAST_SEED = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger MOST_SEED = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

  private final RequestRules rules;
  private final PromptLength length;
  private final PromptTemplate template;

  /**
   * Reads rows under a job's rules.
   *
   * @param template null if the prompt is a column
   */
  public RequestReader(RequestRules rules, PromptLength length, PromptTemplate template) {
    this.rules = rules;
    this.length = length;
    this.template = template;
  }

  /**
   * Reads one row.
   *
   * @param row of {@link RequestRows}
   */
  public RowRequest read(Row row) {
    List<RowError> errors = new ArrayList<>();
    String corrupt = row.getAs(RequestRows.CORRUPT);
    if (corrupt != null) {
      errors.add(
          new RowError(
              ErrorCode.VALUE_INVALID,
              "the line does not fit the table's format: '%s'; enclose values that hold commas, quotes or line ends in double quotes, and double the quotes inside"
                  .formatted(abbreviated(corrupt))));
      return RowRequest.unread(errors);
    }
    if (row.<String>getAs(RequestRows.ID) == null) {
      errors.add(
          new RowError(ErrorCode.VALUE_INVALID, "id is empty; give every row an id of its own"));
    }
    String prompt = template == null ? prompt(row, errors) : filled(row, errors);
    Integer width = whole(row, RequestColumn.WIDTH, rules.width(), errors);
    Integer height = whole(row, RequestColumn.HEIGHT, rules.height(), errors);
    Integer steps =
        whole(row, RequestColumn.NUM_INFERENCE_STEPS, rules.numInferenceSteps(), errors);
    Double guidance = number(row, RequestColumn.GUIDANCE_SCALE, rules.guidanceScale(), errors);
    Double trueCfg = number(row, RequestColumn.TRUE_CFG_SCALE, rules.trueCfgScale(), errors);
    Integer sequence =
        whole(row, RequestColumn.MAX_SEQUENCE_LENGTH, rules.maxSequenceLength(), errors);
    Integer images =
        whole(row, RequestColumn.NUM_IMAGES_PER_PROMPT, rules.numImagesPerPrompt(), errors);
    Long seed = seed(row, errors);
    checkDecoded(RequestColumn.PROMPT, prompt, errors);
    checkDecoded(RequestColumn.NEGATIVE_PROMPT, negativePrompt(row), errors);
    LoraBlend lora = lora(row, errors);
    rules.check(width, height, steps, guidance, trueCfg, sequence, images, errors);
    boolean truncated = truncated(RequestColumn.PROMPT, prompt, sequence, errors);
    RowRequest asked =
        new RowRequest(
            prompt,
            negativePrompt(row),
            width,
            height,
            steps,
            guidance,
            trueCfg,
            sequence,
            seed,
            images,
            lora,
            truncated,
            List.copyOf(errors));
    return errors.isEmpty() ? withNegativePrompt(asked) : asked;
  }

  /** A negative prompt that guides nothing may have any length. */
  private RowRequest withNegativePrompt(RowRequest asked) {
    if (!rules.guidance().guides(asked.request(0))) {
      return asked;
    }
    List<RowError> errors = new ArrayList<>();
    boolean truncated =
        truncated(
            RequestColumn.NEGATIVE_PROMPT,
            asked.negativePrompt(),
            asked.maxSequenceLength(),
            errors);
    return asked.checked(asked.truncated() || truncated, errors);
  }

  private static String prompt(Row row, List<RowError> errors) {
    String prompt = asked(row, RequestColumn.PROMPT);
    if (prompt == null || prompt.isBlank()) {
      errors.add(new RowError(ErrorCode.PROMPT_MISSING, "prompt is empty; say what to draw"));
      return null;
    }
    return prompt;
  }

  private String filled(Row row, List<RowError> errors) {
    List<String> values = row.getList(row.fieldIndex(RequestRows.PLACES));
    List<String> places = template.columns();
    int known = errors.size();
    for (int i = 0; i < places.size(); i++) {
      String value = values.get(i);
      if (value == null || value.isBlank()) {
        errors.add(
            new RowError(
                ErrorCode.PROMPT_MISSING,
                "%s is empty, and the prompt template needs it; fill it in"
                    .formatted(places.get(i))));
      }
    }
    return errors.size() == known ? template.fill(values) : null;
  }

  /** Readers put this character in the place of bytes that are not UTF-8. */
  private static void checkDecoded(RequestColumn column, String text, List<RowError> errors) {
    if (text != null && text.indexOf('\uFFFD') >= 0) {
      errors.add(
          new RowError(
              ErrorCode.VALUE_INVALID,
              "%s '%s' has letters that could not be read; save the table in UTF-8"
                  .formatted(column.columnName(), abbreviated(text))));
    }
  }

  /** An empty value is none; a blank one counts, as the empty negative prompt that some use. */
  private String negativePrompt(Row row) {
    String given = asked(row, RequestColumn.NEGATIVE_PROMPT);
    return given == null || given.isEmpty() ? rules.negativePrompt() : given;
  }

  private LoraBlend lora(Row row, List<RowError> errors) {
    String given = asked(row, RequestColumn.LORA);
    return rules.blend(given == null || given.isBlank() ? rules.lora() : given, errors);
  }

  private boolean truncated(
      RequestColumn column, String prompt, Integer sequence, List<RowError> errors) {
    if (prompt == null || sequence == null) {
      return false;
    }
    int tokens = length.tokens(prompt);
    int most = length.most(sequence);
    if (tokens > most && !rules.truncatePrompts()) {
      errors.add(
          new RowError(
              ErrorCode.PROMPT_TOO_LONG,
              "%s has %d tokens, more than the %d %s; shorten it, %slet the job cut it (--truncate-prompts)"
                  .formatted(
                      column.columnName(),
                      tokens,
                      most,
                      most < sequence
                          ? "that this checkpoint's text encoder reads"
                          : "of max_sequence_length",
                      most == sequence && sequence < rules.longestPrompt()
                          ? "raise max_sequence_length (this checkpoint takes up to %d), or "
                              .formatted(rules.longestPrompt())
                          : "or ")));
    }
    return tokens > most;
  }

  private static Integer whole(Row row, RequestColumn column, int fallback, List<RowError> errors) {
    return value(
        row, column, fallback, BigDecimal::intValueExact, "a whole number within range", errors);
  }

  private static Double number(
      Row row, RequestColumn column, double fallback, List<RowError> errors) {
    return value(row, column, fallback, BigDecimal::doubleValue, "a number", errors);
  }

  private static Long seed(Row row, List<RowError> errors) {
    return value(
        row,
        RequestColumn.SEED,
        null,
        RequestReader::seedBits,
        "a whole number of 64 bits (-9223372036854775808 to 18446744073709551615)",
        errors);
  }

  private static Long seedBits(BigDecimal value) {
    BigInteger seed = value.toBigIntegerExact();
    if (seed.compareTo(LEAST_SEED) < 0 || seed.compareTo(MOST_SEED) > 0) {
      throw new ArithmeticException("more than 64 bits");
    }
    return seed.longValue();
  }

  private static <T> T value(
      Row row,
      RequestColumn column,
      T fallback,
      Function<BigDecimal, T> reading,
      String kind,
      List<RowError> errors) {
    String text = asked(row, column);
    if (text == null || text.isBlank()) {
      return fallback;
    }
    try {
      return reading.apply(new BigDecimal(text.strip()));
    } catch (NumberFormatException | ArithmeticException e) { // not a number, or not in range
      errors.add(notA(kind, column, text));
      return null;
    }
  }

  private static RowError notA(String kind, RequestColumn column, String text) {
    return new RowError(
        ErrorCode.VALUE_INVALID,
        "%s '%s' is not %s; correct it or leave it empty"
            .formatted(column.columnName(), abbreviated(text), kind));
  }

  private static String asked(Row row, RequestColumn column) {
    return row.<Row>getAs(RequestRows.ASKED).getAs(column.columnName());
  }

  private static String abbreviated(String text) {
    return StringUtils.abbreviate(text.strip(), 80);
  }
}
