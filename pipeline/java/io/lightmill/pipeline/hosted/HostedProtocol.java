package io.lightmill.pipeline.hosted;

import io.lightmill.pipeline.ImageSizes;
import java.util.List;
import java.util.Locale;

/**
 * The kinds of image endpoints.
 *
 * <p>Sources: "Deploy and use MAI image models in Microsoft Foundry" (learn.microsoft.com, Foundry
 * models, 2026) for {@link #FOUNDRY}; "Create image" of the OpenAI API reference for {@link
 * #OPENAI}.
 */
public enum HostedProtocol {

  /**
   * Microsoft Foundry's {@code /mai/v1/images/generations}: {@code model}, {@code prompt}, {@code
   * width}, {@code height}; one PNG in {@code data[0].b64_json}; sides of at least 768 pixels and
   * at most 1,048,576 pixels in all. {@code usage} counts one output token for 1,024 pixels.
   */
  FOUNDRY("AZURE_API_KEY", CredentialHeader.API_KEY),

  /**
   * {@code /v1/images/generations} of OpenAI and of servers like it: {@code model}, {@code prompt},
   * {@code n}, {@code size}, {@code quality}.
   */
  OPENAI("OPENAI_API_KEY", CredentialHeader.BEARER);

  private static final int PIXELS_PER_TOKEN = 1024;

  /** Of a 1024×1536 image of gpt-image-1 in high quality, the most that OpenAI documents. */
  private static final int MOST_OUTPUT_TOKENS = 6240;

  private final String environment;
  private final CredentialHeader header;

  HostedProtocol(String environment, CredentialHeader header) {
    this.environment = environment;
    this.header = header;
  }

  /** The scheme before the URL, such as {@code foundry}. */
  public String scheme() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The environment variable that usually has the credential. */
  public String environment() {
    return environment;
  }

  /** The header that usually has the credential. */
  public CredentialHeader header() {
    return header;
  }

  /** The greatest number of output tokens of an image that is to be expected. */
  long outputTokens(int width, int height) {
    return this == FOUNDRY
        ? ((long) width * height + PIXELS_PER_TOKEN - 1) / PIXELS_PER_TOKEN
        : MOST_OUTPUT_TOKENS;
  }

  /** Most pixels of an image. */
  long maxPixels() {
    return this == FOUNDRY ? 1_048_576 : Integer.MAX_VALUE;
  }

  /** Longest side of an image. */
  int maxSide() {
    return this == FOUNDRY ? 1_048_576 / 768 : 16_384;
  }

  /** The sizes that a model draws, as far as they are documented. */
  ImageSizes sizes(String model) {
    if (this == FOUNDRY) {
      return ImageSizes.from(768);
    }
    String name = model.toLowerCase(Locale.ROOT);
    if (name.startsWith("gpt-image-1")) {
      return ImageSizes.only("1024x1024", "1536x1024", "1024x1536");
    }
    return switch (name) {
      case "dall-e-2" -> ImageSizes.only("256x256", "512x512", "1024x1024");
      case "dall-e-3" -> ImageSizes.only("1024x1024", "1792x1024", "1024x1792");
      default -> ImageSizes.ANY;
    };
  }

  /** Whether an answer must be a PNG; other endpoints may answer with JPEG or WebP. */
  boolean requiresPng() {
    return this == FOUNDRY;
  }

  static List<HostedProtocol> all() {
    return List.of(values());
  }
}
