package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.c2pa.C2paReport;
import io.lightmill.pipeline.c2pa.C2paVerifier;
import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import io.lightmill.pipeline.c2pa.TrustAnchors;
import io.lightmill.pipeline.checkpoint.RegularFile;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.ImageMetadata;
import io.lightmill.pipeline.image.Pixels;
import io.lightmill.pipeline.image.XmpProperties;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.pipeline.watermark.WatermarkDetection;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code lightmill inspect}: what image files say about their provenance, and whether they are what
 * their receipts draw.
 */
@Command(
    name = "inspect",
    description =
        "Prints receipt, XMP, C2PA manifest and watermark of image files. With --regenerate, draws"
            + " them again from their receipts and compares the pixels.",
    customSynopsis = {
      "lightmill inspect [--trust=FILE.pem] [--watermark=KEY] IMAGE…",
      "       lightmill inspect --regenerate [OPTION]… IMAGE…"
    },
    sortOptions = false,
    footer = {
      "",
      "Exit statuses: 0 all is valid; 2 a file cannot be read, or cannot be drawn",
      "again with these options; 3 a C2PA manifest is not valid, or an image differs",
      "from the one that is drawn again."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class InspectCommand implements Callable<Integer> {

  private static final int MOST_BYTES = 256 << 20;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "IMAGE", arity = "1..*", description = "PNG, JPEG or WebP files.")
  private List<Path> images;

  @Option(
      names = "--trust",
      paramLabel = "FILE.pem",
      description = "Root certificates; the C2PA manifests of their signers are trusted.")
  private Path trust;

  @Option(
      names = "--watermark",
      paramLabel = "KEY",
      description = "Look for the watermark with this key.")
  private String watermark;

  @Mixin private final RegenerateOptions regenerate = new RegenerateOptions();

  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new InspectCommand());
    RegenerateOptions.REGISTERED.addTo(command.getCommandSpec());
    return command;
  }

  @Override
  public Integer call() {
    TrustAnchors roots =
        trust == null
            ? TrustAnchors.NONE
            : TrustAnchors.read(new PemFile(trust.toString(), bytes(trust)));
    C2paVerifier verifier = new C2paVerifier(roots, Instant.now());
    boolean valid = true;
    try (RegeneratedImages redrawn =
        regenerate.open(spec.commandLine().getParseResult(), watermark, images.size())) {
      for (Path image : images) {
        byte[] file = bytes(image);
        valid &= inspect(image, file, verifier);
        valid &= redrawn.compare(image, file, this::line);
      }
    }
    return valid ? ExitStatus.DONE : ExitStatus.COMPARISONS_FAILED;
  }

  private boolean inspect(Path image, byte[] file, C2paVerifier verifier) {
    ImageMetadata metadata = ImageMetadata.read(image.toString(), file);
    out().println("%s: %s".formatted(escaped(image.toString()), metadata.format()));
    line("receipt", metadata.receipt().orElse("none"));
    metadata.xmp().ifPresentOrElse(this::xmp, () -> line("xmp", "none"));
    Optional<C2paReport> report = verifier.verify(file);
    report.ifPresentOrElse(this::c2pa, () -> line("c2pa", "none"));
    if (watermark == null) {
      line("watermark", "not looked for; give the key with --watermark");
    } else {
      line("watermark", watermark(image, file));
    }
    return report.map(C2paReport::valid).orElse(true);
  }

  private void xmp(String packet) {
    XmpProperties.read(packet)
        .ifPresentOrElse(
            properties ->
                properties.forEach((name, value) -> line("xmp", "%s = %s".formatted(name, value))),
            () -> line("xmp", "malformed: the packet is not XML as XMP allows it"));
  }

  private void c2pa(C2paReport report) {
    String state = report.trusted() ? "trusted" : report.valid() ? "valid, not trusted" : "INVALID";
    line("c2pa", state);
    report.manifest().ifPresent(label -> line("c2pa", "manifest " + label));
    report.generator().ifPresent(name -> line("c2pa", "generator " + name));
    report.signer().ifPresent(name -> line("c2pa", "signer " + name));
    report.signedAt().ifPresent(time -> line("c2pa", "time stamp " + time));
    report.actions().forEach(action -> line("c2pa", "action " + action));
    report
        .findings()
        .forEach(
            it ->
                line(
                    "c2pa",
                    "%s %s: %s"
                        .formatted(
                            it.severity().name().toLowerCase(Locale.ROOT),
                            it.code(),
                            it.explanation())));
  }

  private String watermark(Path image, byte[] file) {
    RgbImage pixels =
        ImageDecoder.decode(file)
            .map(Pixels::copy)
            .orElseThrow(
                () ->
                    new LightmillException(
                        ErrorCode.INPUT_INVALID,
                        "the pixels of '%s' cannot be decoded, or are more than %d; fetch it again, or inspect a smaller copy"
                            .formatted(image, ImageDecoder.MOST_PIXELS)));
    WatermarkDetection found = new Watermark(watermark).detect(pixels);
    return (found.found() ? "found" : "not found")
        + String.format(
            Locale.ROOT,
            ": score %.1f of %.1f, at scale %.2f",
            found.score(),
            WatermarkDetection.THRESHOLD,
            found.scale());
  }

  /** One line: what files contain may have line breaks and control characters. */
  private void line(String subject, String text) {
    out().println("  %-9s %s".formatted(subject, escaped(text.replaceAll("\\R", " "))));
  }

  private static String escaped(String text) {
    return InvisibleCharacters.escaped(text);
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }

  private static byte[] bytes(Path file) {
    try {
      return RegularFile.read(file, MOST_BYTES, ErrorCode.INPUT_INVALID);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "'%s' cannot be read (%s); give the path of a file".formatted(file, e),
          e);
    }
  }
}
