package io.lightmill.pipeline.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes the zip archive that {@code torch.jit.load} reads, from the texts under {@code
 * /torchscript}.
 *
 * <p>A text is TorchScript as PyTorch itself prints it into archives, with two differences: it
 * names the texts that it uses by {@code import nn} lines, and calls their functions as {@code
 * nn.linear(…)} instead of {@code __torch__.nn.linear(…)}. String literals and comments stay as
 * they are.
 */
final class TorchScriptArchive {

  private static final Pattern IMPORT = Pattern.compile("(?m)^import (\\w+)\n");

  /** A string literal or a comment, in which names of texts are no calls. */
  private static final String LITERAL =
      "\"(?:[^\"\\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\\n]|\\\\.)*'|#[^\\n]*";

  private static final String ROOT = "module/";

  private TorchScriptArchive() {}

  /**
   * The archive of a module without attributes.
   *
   * @param text name of the text that defines it, such as {@code flux}
   * @param className of the module within the text
   */
  static byte[] of(String text, String className) {
    Map<String, String> texts = new LinkedHashMap<>();
    collect(text, texts);
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("data.pkl", pickledModule("__torch__." + text, className));
    texts.forEach(
        (name, source) ->
            entries.put(
                "code/__torch__/" + name + ".py",
                qualified(source, texts).getBytes(StandardCharsets.UTF_8)));
    entries.put("constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
    entries.put("version", "10\n".getBytes(StandardCharsets.US_ASCII));
    entries.put("byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    return zip(entries);
  }

  private static void collect(String name, Map<String, String> texts) {
    if (texts.containsKey(name)) {
      return;
    }
    String source = source(name);
    texts.put(name, source);
    Matcher imports = IMPORT.matcher(source);
    while (imports.find()) {
      collect(imports.group(1), texts);
    }
  }

  private static String source(String name) {
    boolean absent = name.equals(OneDnn.TEXT) && !OneDnn.isPresent();
    String resource = "/torchscript/" + (absent ? OneDnn.ABSENT : name) + ".py";
    try (InputStream in = TorchScriptArchive.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalArgumentException("no network text " + resource + " on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + resource, e);
    }
  }

  /** Import lines become blank ones, so that the engine's error messages keep the line numbers. */
  private static String qualified(String source, Map<String, String> texts) {
    String names = String.join("|", texts.keySet());
    Pattern call = Pattern.compile(LITERAL + "|(?<![\\w.])(" + names + ")(?=\\.\\w)");
    return call.matcher(IMPORT.matcher(source).replaceAll("\n"))
        .replaceAll(
            found ->
                Matcher.quoteReplacement(
                    found.start(1) < 0 ? found.group() : "__torch__." + found.group()));
  }

  /** Pickle protocol 2 of one object of the class, with an empty state. */
  private static byte[] pickledModule(String module, String className) {
    String global = "c" + module + "\n" + className + "\n";
    String pickle = "\u0080\u0002" + global + ")\u0081}b.";
    return pickle.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Entries are stored, not deflated: PyTorch maps archives and reads nothing else. */
  private static byte[] zip(Map<String, byte[]> entries) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.setMethod(ZipOutputStream.STORED);
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(stored(ROOT + entry.getKey(), entry.getValue()));
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return bytes.toByteArray();
  }

  private static ZipEntry stored(String name, byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setSize(content.length);
    entry.setCompressedSize(content.length);
    entry.setCrc(crc.getValue());
    return entry;
  }
}
