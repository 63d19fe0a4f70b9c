package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.UserGroupInformation;

/**
 * The file systems for writing images. For S3 they are separate instances, one per bucket and user,
 * because those that Spark has opened to read a table lack {@link S3ContentType}.
 */
final class StoreFileSystems {

  private static final String INTERCEPTORS = "fs.s3a.audit.execution.interceptors";
  private static final String UNSHARED = "fs.s3a.impl.disable.cache";

  /** Name of {@link S3ContentType}, which can be loaded only if the AWS SDK is present. */
  private static final String CONTENT_TYPE = "io.lightmill.udfs.store.S3ContentType";

  /**
   * S3A's own retries end within a minute, where the user has not set them: {@link StoreRetry}
   * repeats the call. By default they may take 20 minutes, with pauses that double, and continue
   * long after the store responds again.
   */
  private static final Map<String, String> FEW_RETRIES =
      Map.of(
          "fs.s3a.attempts.maximum", "2",
          "fs.s3a.retry.limit", "3",
          "fs.s3a.retry.throttle.limit", "7",
          "fs.s3a.connection.establish.timeout", "15s",
          "fs.s3a.connection.timeout", "60s");

  /**
   * Deleting an object does not look for the objects beside it, to write a marker of their
   * directory when it was the last.
   */
  private static final String PERFORMANCE_FLAGS = "fs.s3a.performance.flags";

  private static final Map<String, FileSystem> S3 = new ConcurrentHashMap<>();

  private StoreFileSystems() {}

  /** The file system of a path; Hadoop closes it when the JVM ends. */
  static FileSystem of(Path path, Configuration configuration) throws IOException {
    if (!"s3a".equals(path.toUri().getScheme())) {
      return path.getFileSystem(configuration);
    }
    Configuration own = keepingContentTypes(configuration);
    FEW_RETRIES.forEach((key, value) -> setUnlessChosen(own, key, value));
    setUnlessChosen(own, PERFORMANCE_FLAGS, "delete");
    if (own.getBoolean(UNSHARED, false)) {
      return path.getFileSystem(own);
    }
    String key =
        UserGroupInformation.getCurrentUser().getUserName() + "@" + path.toUri().getAuthority();
    try {
      return S3.computeIfAbsent(key, bucket -> opened(path, own));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void setUnlessChosen(Configuration own, String key, String value) {
    String[] sources = own.getPropertySources(key);
    if (sources == null || List.of("core-default.xml").equals(List.of(sources))) {
      own.set(key, value);
    }
  }

  private static FileSystem opened(Path path, Configuration own) {
    try {
      return FileSystem.newInstance(path.toUri(), own);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Configuration keepingContentTypes(Configuration configuration) {
    Configuration own = new Configuration(configuration);
    own.setClassLoader(StoreFileSystems.class.getClassLoader());
    Set<String> interceptors = new LinkedHashSet<>(own.getTrimmedStringCollection(INTERCEPTORS));
    interceptors.add(CONTENT_TYPE);
    own.setStrings(INTERCEPTORS, interceptors.toArray(String[]::new));
    return own;
  }
}
