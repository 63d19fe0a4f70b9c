package io.lightmill.pipeline.hosted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostedPipelineTest {

  private static final String SIZE = "768x768";

  private StubEndpoint endpoint;
  private Duration timeout = Duration.ofMinutes(1);

  @BeforeEach
  void start() throws IOException {
    endpoint = new StubEndpoint();
  }

  @AfterEach
  void stop() throws IOException {
    endpoint.close();
  }

  /** A secret that the test has. */
  private record Given(CredentialHeader header, String secret) implements HostedCredential {}

  private ImageResult drawn(StubEndpoint.Reaction... reactions) {
    endpoint.reacting((prompt, attempt) -> reactions[Math.min(attempt, reactions.length) - 1]);
    return drawn(endpoint.foundry(), StubEndpoint.KEY, ImageRequest.builder("a red mug"));
  }

  private ImageResult drawn(String location, String key, ImageRequest.Builder request) {
    HostedEndpoint parsed = HostedEndpoint.parse(location);
    try (HostedPipeline pipeline =
        new HostedPipeline(
            parsed,
            HostedSettings.STANDARD
                .withTimes(timeout, Duration.ofSeconds(20), Duration.ofMillis(1))
                .withPrices(new TokenPrices(5.0, 19.5, null, null)),
            new Given(parsed.protocol().header(), key),
            RequestAllowance.UNLIMITED)) {
      return pipeline.results(List.of(request.width(768).height(768).build())).get(0);
    }
  }

  private void requireFailure(ImageResult result, ErrorCode code, String... parts) {
    assertThat(result.failure()).isPresent();
    assertThat(result.failure().get().code()).isEqualTo(code);
    assertThat(result.failure().get()).hasMessageContainingAll(parts);
    assertThat(result.failure().get().getMessage()).doesNotContain(StubEndpoint.KEY);
  }

  @Test
  void aFoundryRequestHasFourFieldsAndItsAnswerIsTheImageAndItsPrice() {
    ImageResult result = drawn(StubEndpoint.picture());

    assertThat(result.orElseThrow().width()).isEqualTo(768);
    assertThat(result.orElseThrow().isBlank()).isFalse();
    assertThat(result.facts().cost().getAsDouble())
        .isEqualTo((10 * 5.0 + 576 * 19.5) / 1_000_000, within());
    StubEndpoint.Seen seen = endpoint.requests.get(0);
    assertThat(seen.body().toString())
        .isEqualTo(
            "{\"model\":\"MAI-Image-2e\",\"prompt\":\"a red mug\",\"width\":768,\"height\":768}");
    assertThat(seen.path()).isEqualTo("/mai/v1/images/generations");
    assertThat(seen.headers())
        .containsEntry("api-key", StubEndpoint.KEY)
        .doesNotContainKey("authorization");
  }

  private static Offset<Double> within() {
    return Offset.offset(1e-12);
  }

  @Test
  void anOpenAiRequestHasSizeAndNumberAndABearerToken() {
    ImageResult result =
        drawn(endpoint.openai("local-model"), StubEndpoint.KEY, ImageRequest.builder("a mug"));

    assertThat(result.orElseThrow().height()).isEqualTo(768);
    StubEndpoint.Seen seen = endpoint.requests.get(0);
    assertThat(seen.body().toString())
        .isEqualTo(
            "{\"model\":\"local-model\",\"prompt\":\"a"
                + " mug\",\"n\":1,\"size\":\"768x768\",\"response_format\":\"b64_json\"}");
    assertThat(seen.headers()).containsEntry("authorization", "Bearer " + StubEndpoint.KEY);
  }

  @Test
  void tooManyRequestsAndErrorsOfTheServerAreRepeatedUntilTheImageComes() {
    String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC));
    ImageResult result =
        drawn(
            StubEndpoint.error(429, "{}", "Retry-After: 0"),
            StubEndpoint.error(429, "{}", "Retry-After: " + date),
            StubEndpoint.error(429, "{}", "retry-after-ms: 3"),
            StubEndpoint.error(429, "{}"),
            StubEndpoint.error(500, "{}"),
            StubEndpoint.error(503, "no JSON"),
            StubEndpoint.picture());

    assertThat(result.image()).isPresent();
    assertThat(endpoint.requests).hasSize(7);
    assertThat(endpoint.successes()).isEqualTo(Map.of("a red mug", 1));
  }

  @Test
  void theLastAnswerIsNamedWhenNoAttemptSucceeds() {
    requireFailure(
        drawn(StubEndpoint.error(503, "{\"error\":{\"code\":\"Busy\",\"message\":\"later\"}}")),
        ErrorCode.PROVIDER_FAILED,
        "8 attempts",
        "HTTP 503, Busy, later (request request-7)");
    assertThat(endpoint.requests).hasSize(8);
  }

  @Test
  void aPauseBeyondTheTimeOfRetriesEndsTheAttempts() {
    requireFailure(
        drawn(StubEndpoint.error(429, "{}", "Retry-After: 3600")),
        ErrorCode.PROVIDER_FAILED,
        "HTTP 429");
    assertThat(endpoint.requests).hasSize(1);
  }

  @Test
  void aResetAfterTheRequestWasReadIsUncertainAndNotRepeated() {
    requireFailure(
        drawn(StubEndpoint.reset()), ErrorCode.PROVIDER_ANSWER_LOST, "--retry-uncertain");
    assertThat(endpoint.requests).hasSize(1);
  }

  /** The client cannot tell it from a reset after the request was read. */
  @Test
  void aResetBeforeTheRequestIsReadIsUncertainToo() {
    endpoint.resettingUnread(1);
    requireFailure(
        drawn(StubEndpoint.picture()), ErrorCode.PROVIDER_ANSWER_LOST, "--retry-uncertain");
    assertThat(endpoint.requests).isEmpty();
  }

  @Test
  void anAnswerThatEndsInItsMiddleIsUncertain() {
    requireFailure(
        drawn(StubEndpoint.truncated()), ErrorCode.PROVIDER_ANSWER_LOST, "the answer was lost");
    assertThat(endpoint.requests).hasSize(1);
  }

  @Test
  void anAnswerThatDoesNotComeIsUncertain() {
    CountDownLatch never = new CountDownLatch(1);
    timeout = Duration.ofMillis(300);
    requireFailure(
        drawn(StubEndpoint.after(never, StubEndpoint.picture())),
        ErrorCode.PROVIDER_ANSWER_LOST,
        "no answer within 0.3 s");
    never.countDown();
    assertThat(endpoint.requests).hasSize(1);
  }

  /** Nothing was sent, so that it may be sent again. */
  @Test
  void aHostThatRefusesConnectionsIsTriedAgain() throws IOException {
    String location = endpoint.foundry();
    endpoint.close();
    requireFailure(
        drawn(location, StubEndpoint.KEY, ImageRequest.builder("a mug")),
        ErrorCode.PROVIDER_FAILED,
        "8 attempts",
        "ConnectException");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"error\":{\"code\":\"content_filter\",\"message\":\"m\",\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\",\"content_filter_result\":{\"violence\":{\"filtered\":true,\"severity\":\"medium\"},\"hate\":{\"filtered\":false}}}}}",
        "{\"error\":{\"code\":\"contentFilter\",\"message\":\"m\",\"inner_error\":{\"code\":\"X\",\"content_filter_results\":{\"violence\":{\"filtered\":true,\"severity\":\"medium\"}}}}}",
        "{\"error\":{\"type\":\"image_generation_user_error\",\"code\":\"moderation_blocked\",\"message\":\"m\",\"moderation_details\":{\"moderation_stage\":\"input\",\"categories\":[\"violence\"]}}}"
      })
  void aFilteredRequestIsBlockedWithTheCategoryOfTheProvider(String json) {
    ImageResult result = drawn(StubEndpoint.error(400, json));

    assertThat(result.facts().isBlocked()).isTrue();
    Verdict verdict = result.facts().deciding();
    assertThat(verdict.stage()).isEqualTo(Verdict.Stage.PROVIDER);
    assertThat(verdict.category()).isEqualTo("violence");
    assertThat(verdict.refusal().code()).isEqualTo(ErrorCode.PROVIDER_BLOCKED);
    assertThat(verdict.message()).contains("violence", "HTTP 400", "request request-7");
    assertThat(endpoint.requests).hasSize(1);
  }

  @Test
  void aFilteredImageWithSuccessIsBlockedToo() {
    ImageResult result =
        drawn(
            StubEndpoint.error(
                200,
                "{\"data\":[{\"content_filter_results\":{\"sexual\":{\"filtered\":true,\"severity\":\"high\"}}}]}"));
    assertThat(result.facts().deciding().category()).isEqualTo("sexual");
  }

  @Test
  void anAnswerWithoutAUsableImageFailsAndIsPaid() {
    for (StubEndpoint.Reaction reaction :
        List.of(
            StubEndpoint.base64("%%%"),
            StubEndpoint.base64("AAAA"),
            StubEndpoint.base64(""),
            StubEndpoint.base64(StubEndpoint.encoded(SIZE).substring(0, 400)),
            StubEndpoint.base64(StubEndpoint.jpeg(SIZE)),
            StubEndpoint.pictureOf("768x784"),
            StubEndpoint.error(200, "not JSON"))) {
      ImageResult result = drawn(reaction);
      requireFailure(result, ErrorCode.PROVIDER_ANSWER_INVALID, "the answer", "request-7");
      assertThat(result.facts().cost()).isPresent();
    }
  }

  @Test
  void anOpenAiEndpointMayAnswerWithAJpeg() {
    endpoint.reacting((prompt, attempt) -> StubEndpoint.base64(StubEndpoint.jpeg(SIZE)));
    assertThat(drawn(endpoint.openai("m"), StubEndpoint.KEY, ImageRequest.builder("a mug")).image())
        .isPresent();
  }

  @Test
  void aWrongKeyIsNamedByNobody() {
    String wrong = "wr0ng-key-that-is-echoed";
    ImageResult result = drawn(endpoint.foundry(), wrong, ImageRequest.builder("a mug"));
    requireFailure(result, ErrorCode.PROVIDER_FAILED, "HTTP 401", "wrong key ***");
    assertThat(result.failure().get().getMessage()).doesNotContain(wrong);
    assertThat(endpoint.requests).hasSize(1);
  }

  @Test
  void aRefusedRequestIsNotRepeated() {
    requireFailure(
        drawn(StubEndpoint.error(400, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"odd\"}}")),
        ErrorCode.PROVIDER_FAILED,
        "HTTP 400, BadRequest, odd");
    assertThat(endpoint.requests).hasSize(1);
  }

  @Test
  void aNoteThatCannotBeWrittenPreventsTheRequest() {
    LightmillException away = new LightmillException(ErrorCode.STORE_UNAVAILABLE, "away");
    assertThat(
            catchThrowable(
                () ->
                    SendLog.noted(
                        () -> {
                          throw away;
                        },
                        () -> drawn(StubEndpoint.picture()))))
        .isSameAs(away);
    assertThat(endpoint.requests).isEmpty();
  }
}
