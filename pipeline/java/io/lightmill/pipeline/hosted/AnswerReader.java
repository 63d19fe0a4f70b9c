package io.lightmill.pipeline.hosted;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.Pixels;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;

/**
 * Reads answers of image endpoints.
 *
 * <p>An image is in {@code data[0].b64_json}; {@code usage} counts its tokens, as {@code
 * num_input_text_tokens} and {@code num_output_tokens} (Foundry) or {@code input_tokens} and {@code
 * output_tokens} (OpenAI). An error has {@code error.code}, {@code error.type} and {@code
 * error.message}. A filter answers with one of several codes ({@link #FILTERS}); its categories are
 * in {@code error.innererror.content_filter_result} (Azure) or in {@code
 * error.moderation_details.categories} (OpenAI).
 */
final class AnswerReader {

  /** Codes of filtered requests, without case and punctuation. */
  private static final Set<String> FILTERS =
      Set.of(
          "contentfilter",
          "contentfiltered",
          "contentpolicyviolation",
          "moderationblocked",
          "responsibleaipolicyviolation",
          "contentsafetyviolation",
          "contentblocked");

  /** Codes of requests that are refused because of the account, with any HTTP status. */
  private static final Set<String> OF_ACCOUNT =
      Set.of("insufficientquota", "billinghardlimitreached", "accountdeactivated");

  /** Statuses of requests that are refused whatever the prompt is. */
  private static final Set<Integer> OF_ALL = Set.of(401, 402, 403, 404, 405);

  private static final Set<Integer> BUSY = Set.of(408, 425, 429);
  private static final List<String> REQUEST_IDS =
      List.of("x-ms-request-id", "apim-request-id", "x-request-id");
  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final int SHOWN = 500;
  private static final JsonMapper JSON = new JsonMapper();

  private final HostedEndpoint endpoint;
  private final TokenPrices prices;

  AnswerReader(HostedEndpoint endpoint, TokenPrices prices) {
    this.endpoint = endpoint;
    this.prices = prices;
  }

  /**
   * Reads an answer.
   *
   * @param secret that no message may repeat
   */
  HostedAnswer read(
      ImageRequest request, int status, HttpHeaders headers, byte[] body, String secret) {
    JsonNode answer = json(body);
    if (status == 200) {
      return image(request, answer, headers, secret);
    }
    JsonNode error = answer.path("error").isObject() ? answer.path("error") : answer;
    String detail = detail(error, status, headers, secret);
    if (isFilter(error)) {
      return new HostedAnswer.Filtered(categories(error), detail);
    }
    boolean account = codes(error).anyMatch(OF_ACCOUNT::contains);
    if (!account && (BUSY.contains(status) || status >= 500)) {
      return new HostedAnswer.TryAgain(RetryAfter.of(headers, Instant.now()), detail);
    }
    return new HostedAnswer.Refused(detail, account || OF_ALL.contains(status));
  }

  private static JsonNode json(byte[] body) {
    try {
      JsonNode read = JSON.readTree(body);
      return read == null ? MissingNode.getInstance() : read;
    } catch (IOException e) { // an error page, or a damaged answer
      return MissingNode.getInstance();
    }
  }

  private HostedAnswer image(
      ImageRequest request, JsonNode answer, HttpHeaders headers, String secret) {
    JsonNode first = answer.path("data").path(0);
    String encoded = first.path("b64_json").asText("");
    if (encoded.isEmpty()) {
      List<HostedAnswer.Category> found = new ArrayList<>();
      Stream.of(first, answer)
          .flatMap(
              node -> Stream.of("content_filter_results", "prompt_filter_results").map(node::path))
          .forEach(results -> addFiltered(results, found));
      if (!found.isEmpty()) {
        return new HostedAnswer.Filtered(found, detail(first, 200, headers, secret));
      }
      return unusable(
          request,
          answer,
          headers,
          first.has("url") ? "has a URL instead of an image" : "has no image in data[0].b64_json");
    }
    byte[] file;
    try {
      file = Base64.getDecoder().decode(encoded);
    } catch (IllegalArgumentException e) {
      return unusable(request, answer, headers, "has damaged Base64 in data[0].b64_json");
    }
    if (endpoint.protocol().requiresPng() && !startsWith(file, PNG)) {
      return unusable(request, answer, headers, "is not a PNG");
    }
    Optional<BufferedImage> decoded = ImageDecoder.decode(file);
    if (decoded.isEmpty()) {
      return unusable(request, answer, headers, "has an image that cannot be decoded");
    }
    int width = decoded.get().getWidth();
    int height = decoded.get().getHeight();
    if (width != request.width() || height != request.height()) {
      return unusable(
          request,
          answer,
          headers,
          "has an image of %dx%d instead of %dx%d pixels"
              .formatted(width, height, request.width(), request.height()));
    }
    return new HostedAnswer.Picture(
        Pixels.copy(decoded.get()), prices.cost(endpoint, size(request), usage(answer)));
  }

  private static boolean startsWith(byte[] file, byte[] head) {
    if (file.length < head.length) {
      return false;
    }
    for (int i = 0; i < head.length; i++) {
      if (file[i] != head[i]) {
        return false;
      }
    }
    return true;
  }

  private HostedAnswer unusable(
      ImageRequest request, JsonNode answer, HttpHeaders headers, String what) {
    return new HostedAnswer.Unusable(
        "the answer %s%s".formatted(what, requestId(headers)),
        prices.cost(endpoint, size(request), usage(answer)));
  }

  private static TokenPrices.RequestSize size(ImageRequest request) {
    return TokenPrices.RequestSize.of(request.width(), request.height(), request.prompt());
  }

  private static TokenPrices.Usage usage(JsonNode answer) {
    JsonNode usage = answer.path("usage");
    JsonNode output = either(usage, "num_output_tokens", "output_tokens");
    JsonNode input = either(usage, "num_input_text_tokens", "input_tokens");
    return output.canConvertToLong()
        ? new TokenPrices.Usage(Math.max(0, input.asLong(0)), Math.max(0, output.asLong()))
        : null;
  }

  private static JsonNode either(JsonNode node, String one, String other) {
    return node.has(one) ? node.path(one) : node.path(other);
  }

  private static boolean isFilter(JsonNode error) {
    return codes(error).anyMatch(FILTERS::contains);
  }

  /** The codes of an error and of the errors in it, without case and punctuation. */
  private static Stream<String> codes(JsonNode error) {
    return Stream.of(error, inner(error))
        .flatMap(node -> Stream.of(node.path("code"), node.path("type")))
        .map(code -> code.asText("").toLowerCase(Locale.ROOT).replaceAll("[^a-z]", ""));
  }

  private static JsonNode inner(JsonNode error) {
    return either(error, "innererror", "inner_error");
  }

  private static List<HostedAnswer.Category> categories(JsonNode error) {
    List<HostedAnswer.Category> found = new ArrayList<>();
    for (JsonNode node : List.of(inner(error), error)) {
      addFiltered(either(node, "content_filter_result", "content_filter_results"), found);
    }
    for (JsonNode name : error.path("moderation_details").path("categories")) {
      found.add(new HostedAnswer.Category(shown(name.asText()), ""));
    }
    return found.isEmpty()
        ? List.of(new HostedAnswer.Category("unspecified", ""))
        : found.stream().distinct().toList();
  }

  private static void addFiltered(JsonNode results, List<HostedAnswer.Category> found) {
    results
        .properties()
        .forEach(
            each -> {
              if (each.getValue().path("filtered").asBoolean()
                  || each.getValue().path("detected").asBoolean()) {
                found.add(
                    new HostedAnswer.Category(
                        shown(each.getKey()), each.getValue().path("severity").asText("")));
              }
            });
  }

  private static String shown(String text) {
    return StringUtils.abbreviate(text, 100);
  }

  private static String detail(JsonNode error, int status, HttpHeaders headers, String secret) {
    String code =
        Stream.of("code", "type")
            .map(name -> error.path(name).asText(""))
            .distinct()
            .filter(text -> !text.isEmpty())
            .map(AnswerReader::shown)
            .collect(Collectors.joining(" "));
    String message = StringUtils.abbreviate(error.path("message").asText(""), SHOWN);
    String all =
        Stream.of("HTTP " + status, code, message)
            .filter(text -> !text.isEmpty())
            .collect(Collectors.joining(", "));
    return all.replace(secret, "***") + requestId(headers);
  }

  private static String requestId(HttpHeaders headers) {
    return REQUEST_IDS.stream()
        .map(headers::firstValue)
        .flatMap(Optional::stream)
        .findFirst()
        .map(id -> " (request " + shown(id) + ")")
        .orElse("");
  }
}
