package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.HOSTED;

import io.lightmill.pipeline.hosted.CredentialHeader;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The options of hosted models: models behind an API. Defaults are where they are used, so that the
 * records of other runs do not have them.
 */
public final class HostedOptions {

  /** What happens to values that the endpoint has no field for. */
  public enum UnsentValues {
    /** They are left out, and a notice of the run names their columns. */
    IGNORE,
    /** Their rows are invalid. */
    INVALID
  }

  private static final double MOST_MONEY = 1e12;

  public static final Option<Integer> REQUESTS_PER_MINUTE =
      Option.of(
          "requests-per-minute",
          OptionType.wholeNumber(1),
          "N",
          HOSTED,
          "Maximum number of requests that all executors together send in any minute. By default"
              + " only the endpoint limits them.");

  public static final Option<Integer> CONCURRENT_REQUESTS =
      Option.of(
          "concurrent-requests",
          OptionType.wholeNumber(1, 10_000),
          "N",
          HOSTED,
          "Maximum number of requests of all executors together that wait for an answer. Default:"
              + " 8.");

  public static final Option<Double> MAX_COST =
      Option.of(
          "max-cost",
          money(),
          "AMOUNT",
          HOSTED,
          "Maximum cost of the run, by the prices below: no request is sent that could exceed it,"
              + " the other rows stay pending, and the exit status is 4.");

  public static final Option<Double> INPUT_PRICE =
      Option.of(
          "price-per-million-input-tokens",
          money(),
          "AMOUNT",
          HOSTED,
          "Price of a million tokens of prompts, in any currency.");

  public static final Option<Double> OUTPUT_PRICE =
      Option.of(
          "price-per-million-output-tokens",
          money(),
          "AMOUNT",
          HOSTED,
          "Price of a million tokens of images.");

  public static final Option<Double> IMAGE_PRICE =
      Option.of(
          "price-per-image",
          money(),
          "AMOUNT",
          HOSTED,
          "Price of an image whose answer counts no tokens, or of every image if no price of tokens"
              + " is given.");

  public static final Option<Integer> OUTPUT_TOKENS =
      Option.of(
          "output-tokens-per-image",
          OptionType.wholeNumber(1),
          "N",
          HOSTED,
          "Maximum number of tokens of an image, for max-cost and for plans. Default: one for 1,024"
              + " pixels (foundry), 6240 (openai).");

  public static final Option<String> CREDENTIAL_ENV =
      Option.of(
          "credential-env",
          OptionType.text(
              Pattern.compile("[A-Z_][A-Z0-9_]{0,63}"),
              "the name of an environment variable in upper case, and not the secret itself"),
          "NAME",
          HOSTED,
          "Environment variable of the driver and of each executor that has the key or token."
              + " Default: AZURE_API_KEY (foundry), OPENAI_API_KEY (openai).");

  public static final Option<String> CREDENTIAL_FILE =
      Option.of(
              "credential-file",
              OptionType.text(),
              "FILE",
              HOSTED,
              "File of the driver's machine and of each node that has the key or token and that"
                  + " only its owner can read. It is read for each request, so a token may be"
                  + " replaced during a run.")
          .besideJobFile();

  public static final Option<String> CREDENTIAL_ALIAS =
      Option.of(
          "credential-alias",
          OptionType.text(
              Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}"), "an alias of a credential"),
          "ALIAS",
          HOSTED,
          "Alias of the key or token in a Hadoop credential provider.");

  public static final Option<CredentialHeader> CREDENTIAL_HEADER =
      Option.of(
          "credential-header",
          OptionType.choice(headers()),
          "HEADER",
          HOSTED,
          "How requests carry the key or token: api-key, or bearer, as for tokens of Entra ID."
              + " Default: api-key (foundry), bearer (openai).");

  public static final Option<String> HOSTED_QUALITY =
      Option.of(
          "hosted-quality",
          OptionType.text(Pattern.compile("[A-Za-z0-9_-]{1,30}"), "a word such as high"),
          "WORD",
          HOSTED,
          "Quality that openai endpoints are requested to draw in, such as low, medium or high."
              + " Part of the identity of images.");

  public static final Option<UnsentValues> UNSENT_VALUES =
      Option.of(
          "unsent-values",
          OptionType.choice(UnsentValues.class),
          "CHOICE",
          HOSTED,
          "What happens to values of rows that the endpoint has no field for, such as seeds,"
              + " steps and negative prompts: ignore, a notice names their columns; or invalid,"
              + " their rows are invalid. Default: ignore.");

  public static final Option<Boolean> RETRY_UNCERTAIN =
      Option.of(
          "retry-uncertain",
          OptionType.flag(),
          "",
          HOSTED,
          "Send requests again whose answer was lost in an earlier run, and which may have been"
              + " paid. By default their rows stay uncertain.");

  public static final Option<Boolean> RETRY_BLOCKED =
      Option.of(
          "retry-blocked",
          OptionType.flag(),
          "",
          HOSTED,
          "Send requests again that the filter of the provider has blocked in an earlier run.");

  public static final Option<Duration> REQUEST_TIMEOUT =
      Option.of(
          "request-timeout",
          OptionType.duration(),
          "DURATION",
          HOSTED,
          "Time limit of a request, such as 3m: after that its row is uncertain. Default: 3m.");

  public static final Option<Duration> CONNECT_TIMEOUT =
      Option.of(
          "connect-timeout",
          OptionType.duration(),
          "DURATION",
          HOSTED,
          "Time limit to connect. Default: 10s.");

  public static final Option<Integer> REQUEST_ATTEMPTS =
      Option.of(
          "request-attempts",
          OptionType.wholeNumber(1, 100),
          "N",
          HOSTED,
          "Maximum number of attempts for an image, where the endpoint answers with HTTP 429 or"
              + " 5xx or cannot be reached. Default: 8.");

  public static final Option<Duration> RETRY_TIME =
      Option.of(
          "retry-time",
          OptionType.duration(),
          "DURATION",
          HOSTED,
          "Time from the first attempt for an image after which no other one begins. Default:"
              + " 10m.");

  public static final Option<String> PROXY =
      Option.of(
          "proxy",
          OptionType.text(
              Pattern.compile("[A-Za-z0-9.-]{1,253}:\\d{1,5}"), "HOST:PORT of an HTTP proxy"),
          "HOST:PORT",
          HOSTED,
          "HTTP proxy of all executors. By default that of Java's system properties"
              + " (https.proxyHost).");

  public static final Option<Boolean> HTTP1 =
      Option.of(
          "http1",
          OptionType.flag(),
          "",
          HOSTED,
          "Use HTTP/1.1 even where the endpoint has HTTP/2.");

  /** In the order of the help text. */
  public static final List<Option<?>> ALL =
      List.of(
          REQUESTS_PER_MINUTE,
          CONCURRENT_REQUESTS,
          MAX_COST,
          INPUT_PRICE,
          OUTPUT_PRICE,
          IMAGE_PRICE,
          OUTPUT_TOKENS,
          CREDENTIAL_ENV,
          CREDENTIAL_FILE,
          CREDENTIAL_ALIAS,
          CREDENTIAL_HEADER,
          HOSTED_QUALITY,
          UNSENT_VALUES,
          RETRY_UNCERTAIN,
          RETRY_BLOCKED,
          REQUEST_TIMEOUT,
          CONNECT_TIMEOUT,
          REQUEST_ATTEMPTS,
          RETRY_TIME,
          PROXY,
          HTTP1);

  private HostedOptions() {}

  private static OptionType<Double> money() {
    return OptionType.decimal(0, MOST_MONEY, "an amount of at least 0, such as 19.5");
  }

  private static Map<String, CredentialHeader> headers() {
    Map<String, CredentialHeader> headers = new LinkedHashMap<>();
    headers.put("api-key", CredentialHeader.API_KEY);
    headers.put("bearer", CredentialHeader.BEARER);
    return headers;
  }
}
