package io.lightmill.pipeline.image;

/** Formats of image objects. */
public enum ImageFormat {
  PNG("png", "image/png"),
  JPEG("jpg", "image/jpeg"),
  WEBP("webp", "image/webp");

  private final String extension;
  private final String contentType;

  ImageFormat(String extension, String contentType) {
    this.extension = extension;
    this.contentType = contentType;
  }

  /** The extension of file names, without the dot. */
  public String extension() {
    return extension;
  }

  /** The MIME type. */
  public String contentType() {
    return contentType;
  }
}
