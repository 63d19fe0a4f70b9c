package io.lightmill.pipeline.c2pa;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One block of a PEM file (RFC 7468).
 *
 * @param label such as {@code CERTIFICATE}
 * @param encrypted whether its headers say that it is encrypted (RFC 1421)
 * @param der empty of an encrypted one
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PemBlock(String label, boolean encrypted, byte[] der) {

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,60})-----([\\s\\S]*?)-----END \\1-----");

  private static final Pattern HEADERS =
      Pattern.compile("\\s*(?:[A-Za-z0-9-]{1,60}:[^\\n]*\\n)+\\s*");

  private static final Pattern SPACE = Pattern.compile("\\s+");

  /**
   * The blocks of a file; other texts between them are skipped.
   *
   * @throws IllegalArgumentException for a block that is not Base64
   */
  static List<PemBlock> read(String text) {
    List<PemBlock> blocks = new ArrayList<>();
    Matcher block = BLOCK.matcher(text);
    while (block.find()) {
      String body = block.group(2);
      Matcher headers = HEADERS.matcher(body);
      boolean headed = headers.lookingAt();
      boolean encrypted = headed && headers.group().contains("ENCRYPTED");
      String base64 = SPACE.matcher(headed ? body.substring(headers.end()) : body).replaceAll("");
      blocks.add(
          new PemBlock(
              block.group(1),
              encrypted,
              encrypted ? new byte[0] : Base64.getDecoder().decode(base64)));
    }
    return blocks;
  }
}
