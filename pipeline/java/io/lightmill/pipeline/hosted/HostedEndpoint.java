package io.lightmill.pipeline.hosted;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.SamplingEfficiency;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model behind an API, as an option names it: {@code
 * foundry:https://NAME.services.ai.azure.com/mai/v1/images/generations#MAI-Image-2e} or {@code
 * openai:https://api.openai.com/v1/images/generations#gpt-image-1}.
 *
 * @param url of the endpoint, without the model
 * @param model name of the model, or of its deployment
 */
public record HostedEndpoint(HostedProtocol protocol, URI url, String model)
    implements Serializable {

  /** The service reads prompts of up to so many tokens. */
  private static final int MOST_PROMPT_TOKENS = 32_768;

  private static final int DEFAULT_SIDE = 1024;
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}");

  /** Names of query parameters that carry credentials. */
  private static final Pattern CREDENTIAL =
      Pattern.compile("(?i).*(key|token|secret|sig|signature|code|password|credential|auth).*");

  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[?::1\\]?");

  /** Whether a location names a hosted model and not a checkpoint. */
  public static boolean isHosted(String location) {
    return protocol(location).isPresent();
  }

  private static Optional<HostedProtocol> protocol(String location) {
    return HostedProtocol.all().stream()
        .filter(each -> location.toLowerCase(Locale.ROOT).startsWith(each.scheme() + ":"))
        .findFirst();
  }

  /**
   * Reads a location.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}, for a URL without a model, with
   *     a credential, or without TLS to another machine
   */
  public static HostedEndpoint parse(String location) {
    HostedProtocol protocol =
        protocol(location)
            .orElseThrow(() -> invalid("a checkpoint", "is not a hosted model", "name its URL"));
    String text = location.substring(protocol.scheme().length() + 1);
    URI whole;
    try {
      whole = new URI(text);
    } catch (URISyntaxException e) { // its message would repeat the text, and a credential in it
      throw invalid(protocol, "is not a URL", "write " + protocol.scheme() + ":https://…#MODEL");
    }
    if (whole.getRawUserInfo() != null || hasCredential(whole.getRawQuery())) {
      throw invalid(
          protocol,
          "contains a credential",
          "remove it, and give it by --credential-env or --credential-file");
    }
    String scheme = String.valueOf(whole.getScheme()).toLowerCase(Locale.ROOT);
    if (whole.getHost() == null || !scheme.matches("https?")) {
      throw invalid(
          protocol, "is not an https URL", "write " + protocol.scheme() + ":https://…#MODEL");
    }
    if (scheme.equals("http") && !LOOPBACK.matcher(whole.getHost()).matches()) {
      throw invalid(
          protocol,
          "has http: for the host %s, and would send credential and prompts in clear text"
              .formatted(whole.getHost()),
          "use https:, which only this machine may do without");
    }
    String model = whole.getFragment();
    if (model == null || !MODEL.matcher(model).matches()) {
      throw invalid(
          protocol,
          "names no model",
          "add the name of the model or deployment, such as #MAI-Image-2e");
    }
    return new HostedEndpoint(protocol, URI.create(text.substring(0, text.indexOf('#'))), model);
  }

  private static boolean hasCredential(String query) {
    return query != null
        && Arrays.stream(query.split("&", -1))
            .map(each -> each.split("=", 2)[0])
            .anyMatch(name -> CREDENTIAL.matcher(name).matches());
  }

  private static LightmillException invalid(HostedProtocol protocol, String what, String fix) {
    return invalid("the location of the hosted model (" + protocol.scheme() + ":…)", what, fix);
  }

  private static LightmillException invalid(String subject, String what, String fix) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID, "%s %s; %s".formatted(subject, what, fix));
  }

  /**
   * Checks that the host has an address, so that a misspelt one ends the run before it plans.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  public void requireHost() {
    try {
      InetAddress.getByName(url.getHost());
    } catch (UnknownHostException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the host %s of the hosted model has no address; check its spelling, or name a proxy (--proxy)"
              .formatted(url.getHost()),
          e);
    }
  }

  /** The location that {@link #parse} reads. */
  public String location() {
    return protocol.scheme() + ":" + url + "#" + model;
  }

  /**
   * Limits and defaults. Values that the endpoint has no field for have a neutral default, and are
   * no part of requests.
   */
  public PipelineLimits limits() {
    return new PipelineLimits(
        1,
        protocol.maxSide(),
        protocol.maxPixels(),
        MOST_PROMPT_TOKENS,
        1,
        ClassifierFreeGuidance.NONE,
        new PipelineLimits.Defaults(DEFAULT_SIDE, DEFAULT_SIDE, 1, 0, 1, MOST_PROMPT_TOKENS),
        SamplingEfficiency.NONE,
        protocol.sizes(model));
  }
}
