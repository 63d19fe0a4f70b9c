package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.apache.commons.io.file.PathUtils;

/** A checkpoint that is packaged as a resource under {@code /models}, in a jar or a directory. */
public record BuiltinCheckpoint(String location, String name, URI uri) implements CheckpointSource {

  public static BuiltinCheckpoint of(String location) {
    String name = location.substring("builtin:".length());
    URL index = BuiltinCheckpoint.class.getResource("/models/" + name + "/model_index.json");
    if (!name.matches("[a-z0-9-]+") || index == null) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the checkpoint '%s' does not exist; the built-in one is %s"
              .formatted(location, CheckpointCache.BUILTIN_POCKET));
    }
    try {
      return new BuiltinCheckpoint(location, name, index.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException("a resource's URL is a URI", e);
    }
  }

  @Override
  public String key() throws IOException {
    return "builtin/%s-%s".formatted(name, read(BuiltinCheckpoint::checksum));
  }

  @Override
  public void copyTo(Path directory) throws IOException {
    if (Files.exists(directory)) {
      PathUtils.deleteDirectory(directory);
    }
    read(root -> PathUtils.copyDirectory(root, directory));
  }

  private static String checksum(Path root) throws IOException {
    CRC32 crc = new CRC32();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        crc.update(root.relativize(file).toString().getBytes(UTF_8));
        crc.update(Files.readAllBytes(file));
      }
    }
    return "%08x".formatted(crc.getValue());
  }

  private interface Reading<T> {
    T apply(Path root) throws IOException;
  }

  private <T> T read(Reading<T> reading) throws IOException {
    if (!uri.getScheme().equals("jar")) {
      return reading.apply(Path.of(uri).getParent());
    }
    try (FileSystem jar = FileSystems.newFileSystem(jarFile(), Map.of())) {
      return reading.apply(jar.getPath("/models", name));
    }
  }

  /**
   * The path of the jar. A file system that is opened by path is not shared; one that is opened by
   * URI is, and others may close it.
   */
  private Path jarFile() {
    String text = uri.getRawSchemeSpecificPart();
    return Path.of(URI.create(text.substring(0, text.indexOf("!/"))));
  }
}
