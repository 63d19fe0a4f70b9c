package io.lightmill.pipeline.c2pa;

/** A manifest store does not have the form that C2PA defines. The message continues "it is …". */
final class MalformedManifestException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  MalformedManifestException(String message) {
    super(message);
  }

  MalformedManifestException(String message, Throwable cause) {
    super(message, cause);
  }
}
