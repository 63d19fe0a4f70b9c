package io.lightmill.pipeline.hosted;

/** How a request carries its credential. */
public enum CredentialHeader {

  /** {@code api-key: KEY}, as Azure takes keys. */
  API_KEY("api-key", ""),

  /** {@code Authorization: Bearer TOKEN}, for keys of OpenAI and for tokens of Entra ID. */
  BEARER("Authorization", "Bearer ");

  private final String header;
  private final String prefix;

  CredentialHeader(String header, String prefix) {
    this.header = header;
    this.prefix = prefix;
  }

  /** The name of the header. */
  public String header() {
    return header;
  }

  String value(String secret) {
    return prefix + secret;
  }
}
