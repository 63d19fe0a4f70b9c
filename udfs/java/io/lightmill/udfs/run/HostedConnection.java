package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.hosted.CredentialHeader;
import io.lightmill.pipeline.hosted.HostedCredential;
import io.lightmill.pipeline.hosted.HostedEndpoint;
import io.lightmill.pipeline.hosted.HostedSettings;
import io.lightmill.pipeline.hosted.NamedCredential;
import io.lightmill.pipeline.hosted.RequestAllowance;
import io.lightmill.pipeline.hosted.TokenPrices;
import io.lightmill.udfs.device.HadoopCredential;
import io.lightmill.udfs.device.HostedLoader;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.HostedOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.store.SharedConfiguration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;

/** How the options of a run connect to a hosted model: endpoint, settings and credential. */
record HostedConnection(
    HostedEndpoint endpoint, HostedSettings settings, HostedCredential credential) {

  /**
   * Reads the options. The credential is named, not read.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  static HostedConnection of(GenerationOptions options, Configuration hadoop) {
    HostedEndpoint endpoint = HostedEndpoint.parse(options.get(ModelOptions.CHECKPOINT));
    return new HostedConnection(endpoint, settings(options), credential(options, endpoint, hadoop));
  }

  HostedLoader loader(RequestAllowance allowance) {
    return new HostedLoader(endpoint, settings, credential, allowance);
  }

  private static HostedSettings settings(GenerationOptions options) {
    HostedSettings standard = HostedSettings.STANDARD;
    return new HostedSettings(
        options.find(HostedOptions.HOSTED_QUALITY).orElse(null),
        options.find(HostedOptions.CONNECT_TIMEOUT).orElse(standard.connectTimeout()),
        options.find(HostedOptions.REQUEST_TIMEOUT).orElse(standard.requestTimeout()),
        options.find(HostedOptions.REQUEST_ATTEMPTS).orElse(standard.attempts()),
        options.find(HostedOptions.RETRY_TIME).orElse(standard.retryTime()),
        standard.firstPause(),
        options.find(HostedOptions.PROXY).orElse(null),
        !options.find(HostedOptions.HTTP1).orElse(false),
        prices(options));
  }

  private static TokenPrices prices(GenerationOptions options) {
    return new TokenPrices(
        options.find(HostedOptions.INPUT_PRICE).orElse(null),
        options.find(HostedOptions.OUTPUT_PRICE).orElse(null),
        options.find(HostedOptions.IMAGE_PRICE).orElse(null),
        options.find(HostedOptions.OUTPUT_TOKENS).map(Integer::longValue).orElse(null));
  }

  private static HostedCredential credential(
      GenerationOptions options, HostedEndpoint endpoint, Configuration hadoop) {
    List<Option<?>> given =
        Stream.<Option<?>>of(
                HostedOptions.CREDENTIAL_ENV,
                HostedOptions.CREDENTIAL_FILE,
                HostedOptions.CREDENTIAL_ALIAS)
            .filter(options::has)
            .toList();
    if (given.size() > 1) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the options %s each name a credential; give one of them"
              .formatted(given.stream().map(Option::key).collect(Collectors.joining(", "))));
    }
    CredentialHeader header =
        options.find(HostedOptions.CREDENTIAL_HEADER).orElse(endpoint.protocol().header());
    if (options.has(HostedOptions.CREDENTIAL_ALIAS)) {
      return new HadoopCredential(
          header, options.get(HostedOptions.CREDENTIAL_ALIAS), new SharedConfiguration(hadoop));
    }
    return options.has(HostedOptions.CREDENTIAL_FILE)
        ? new NamedCredential(header, null, options.get(HostedOptions.CREDENTIAL_FILE))
        : new NamedCredential(
            header,
            options.find(HostedOptions.CREDENTIAL_ENV).orElse(endpoint.protocol().environment()),
            null);
  }
}
