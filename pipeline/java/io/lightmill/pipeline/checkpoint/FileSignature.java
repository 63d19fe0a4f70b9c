package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;

/** Recognises files of other kinds by their first bytes. */
final class FileSignature {

  /** How many bytes tell all kinds apart. */
  static final int BYTES = 64;

  private static final String GIT_LFS = "version https://git-lfs.github.com/spec";

  private FileSignature() {}

  /**
   * Refuses what a failed download leaves in place of any file: a pointer of Git LFS.
   *
   * @param start of the file
   */
  static void requireContent(Path path, ByteBuffer start, ErrorCode code) {
    if (text(start).startsWith(GIT_LFS)) {
      throw new LightmillException(
          code,
          "%s is a pointer of Git LFS instead of the file; fetch the file with 'git lfs pull'"
              .formatted(path));
    }
  }

  /**
   * Refuses what is no safetensors file.
   *
   * @param start of the file
   */
  static void requireSafetensors(Path path, ByteBuffer start) {
    requireContent(path, start, ErrorCode.WEIGHTS_INVALID);
    String text = text(start).toLowerCase(Locale.ROOT).strip();
    if (text.startsWith("gguf")) {
      throw invalid(
          path,
          "is a GGUF file, whose weights are quantised; use the model's safetensors in F32, F16 or"
              + " BF16");
    }
    if (text.startsWith("<!doctype") || text.startsWith("<html") || text.startsWith("<?xml")) {
      throw invalid(path, "is a web page instead of weights; download the file again");
    }
    refusePickles(path, start);
  }

  /** Pickles and PyTorch's zip archives can run code when they are loaded, whatever their name. */
  private static void refusePickles(Path path, ByteBuffer start) {
    boolean zip = start.remaining() >= 4 && start.getInt(0) == 0x504B0304;
    boolean pickle = start.remaining() >= 2 && start.get(0) == (byte) 0x80 && start.get(1) <= 5;
    boolean tooShortForSafetensors = start.remaining() < Long.BYTES || start.get(7) != 0;
    if (zip || (pickle && tooShortForSafetensors)) {
      throw invalid(
          path,
          "is a PyTorch pickle or TorchScript archive, which can run code when loaded; save the"
              + " weights as safetensors (safetensors.torch.save_file)");
    }
  }

  private static String text(ByteBuffer start) {
    byte[] bytes = new byte[Math.min(start.remaining(), BYTES)];
    start.duplicate().get(bytes);
    return new String(bytes, ISO_8859_1);
  }

  private static LightmillException invalid(Path path, String what) {
    return new LightmillException(ErrorCode.WEIGHTS_INVALID, path + " " + what);
  }
}
