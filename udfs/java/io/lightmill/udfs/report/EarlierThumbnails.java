package io.lightmill.udfs.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.store.ImageStore;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The small copies of images on the page of an earlier run over the output, so that images which
 * are reused are not read again. The page may be damaged or have been replaced: what is no small
 * copy is left out.
 */
final class EarlierThumbnails {

  private static final Logger LOG = LoggerFactory.getLogger(EarlierThumbnails.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** No page that Lightmill writes has more. */
  private static final int MOST = 20_000;

  private static final int MOST_BYTES = 1 << 16;

  private EarlierThumbnails() {}

  /**
   * Reads them.
   *
   * @param files keys of {@link StoredRunPage}'s files beside the page
   * @return WebP files by image id
   */
  static Map<String, byte[]> read(ImageStore output, List<String> files) {
    Map<String, byte[]> thumbnails = new HashMap<>();
    List<Optional<byte[]>> contents = // a store takes a while for each
        Stream.concat(Stream.of(StoredRunPage.PAGE), files.stream()).toList().parallelStream()
            .map(output::read)
            .toList();
    contents.stream()
        .flatMap(Optional::stream)
        .flatMap(file -> new String(file, StandardCharsets.UTF_8).lines())
        .forEach(line -> StoredRunPage.chunk(line).ifPresent(json -> add(json, thumbnails)));
    return thumbnails;
  }

  private static void add(String chunk, Map<String, byte[]> thumbnails) {
    try {
      for (JsonNode picture : JSON.readTree(chunk)) {
        String id = picture.path("image_id").asText();
        String base64 = picture.path("thumbnail").asText();
        if (thumbnails.size() < MOST && base64.length() < MOST_BYTES && !id.isEmpty()) {
          byte[] file = Base64.getDecoder().decode(base64);
          if (isWebp(file)) {
            thumbnails.put(id, file);
          }
        }
      }
    } catch (JsonProcessingException | IllegalArgumentException e) {
      LOG.info("Small copies of an earlier run are not reused: {}", e.getMessage());
    }
  }

  private static boolean isWebp(byte[] file) {
    String start = new String(file, 0, Math.min(file.length, 12), StandardCharsets.ISO_8859_1);
    return start.startsWith("RIFF") && start.endsWith("WEBP");
  }
}
