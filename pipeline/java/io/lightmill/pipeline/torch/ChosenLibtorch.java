package io.lightmill.pipeline.torch;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/**
 * The libtorch that DJL is going to load: the one in {@code PYTORCH_LIBRARY_PATH}, else the one on
 * the class path. A libtorch of another version than DJL's JNI library crashes the JVM, so it is
 * refused, unless its directory contains a JNI library that was built against it, which DJL then
 * loads.
 *
 * @param directory of the libraries; empty for the class path
 * @param version of {@code PYTORCH_VERSION}; empty if it is not set
 */
record ChosenLibtorch(Optional<Path> directory, Optional<String> version) {

  /** The libtorch that DJL's published JNI library is built against. */
  static final String SUPPORTED = "2.7.1";

  private static final String LIBTORCH = System.mapLibraryName("torch");
  private static final String JNI = System.mapLibraryName("djl_torch");

  /**
   * Reads the settings as DJL does.
   *
   * @param setting an environment variable or system property by its name, or null
   */
  static ChosenLibtorch of(Function<String, String> setting) {
    Optional<Path> directory =
        Optional.ofNullable(setting.apply("PYTORCH_LIBRARY_PATH")).stream()
            .flatMap(paths -> Arrays.stream(paths.split(File.pathSeparator)))
            .map(Path::of)
            .flatMap(path -> directory(path).stream())
            .findFirst();
    return new ChosenLibtorch(
        directory,
        Optional.ofNullable(setting.apply("PYTORCH_VERSION")).filter(text -> !text.isEmpty()));
  }

  private static Optional<Path> directory(Path path) {
    if (path.endsWith(LIBTORCH) && Files.isRegularFile(path)) {
      return Optional.of(path.toAbsolutePath().getParent());
    }
    return Files.isRegularFile(path.resolve(LIBTORCH)) ? Optional.of(path) : Optional.empty();
  }

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the JNI library does not fit
   */
  void requireFitting() {
    if (directory.filter(ChosenLibtorch::ownJni).isPresent()) {
      requireNamed();
      return;
    }
    version
        .filter(named -> !named.equals(SUPPORTED))
        .ifPresent(named -> refuse("PYTORCH_VERSION is " + named));
    directory
        .flatMap(ChosenLibtorch::builtVersion)
        .filter(built -> !built.equals(SUPPORTED))
        .ifPresent(built -> refuse("PYTORCH_LIBRARY_PATH has libtorch " + built));
  }

  /** The version that the run record has, and that DJL does not find out by itself. */
  private void requireNamed() {
    if (version.isEmpty()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "%s has a JNI library of its own, but PYTORCH_VERSION is not set; set it to the version of its libtorch"
              .formatted(directory.orElseThrow()));
    }
  }

  private static void refuse(String reason) {
    throw new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "%s, but DJL's JNI library works with libtorch %s only; install that one and name it in PYTORCH_LIBRARY_PATH, or put a %s that is built against yours beside its libraries"
            .formatted(reason, SUPPORTED, JNI));
  }

  private static boolean ownJni(Path directory) {
    return Files.isRegularFile(directory.resolve(JNI));
  }

  /** As libtorch's archives say it in the directory above, such as {@code 2.7.1+cu128}. */
  private static Optional<String> builtVersion(Path directory) {
    Path file = directory.toAbsolutePath().resolveSibling("build-version");
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(file).strip().replaceFirst("\\+.*", ""));
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be read".formatted(file), e);
    }
  }
}
