package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.c2pa.Authority;
import io.lightmill.pipeline.c2pa.C2paReport;
import io.lightmill.pipeline.c2pa.C2paVerifier;
import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import io.lightmill.pipeline.c2pa.TrustAnchors;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.ImageMetadata;
import io.lightmill.pipeline.image.Pixels;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.pipeline.image.XmpProperties;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.ProvenanceOptions;
import io.lightmill.udfs.option.WatermarkKey;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the files of a run say about where they come from. */
class ProvenanceTest {

  private static final Authority AUTHORITY = new Authority();
  private static final String WATERMARK = "a long key of the watermark";

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job() throws IOException {
    return TestJob.in(directory, List.of("id,prompt", "1,a confidential mug", "2,a secret cup"));
  }

  private String file(PemFile file) throws IOException {
    return Files.write(directory.resolve(file.name()), file.content()).toString();
  }

  private TestJob marked() throws IOException {
    KeyPair keys = Authority.keys();
    return job()
        .option(Options.FORMAT, ImageFormat.WEBP)
        .option(ProvenanceOptions.PROVIDER, "Example Inc.")
        .option(ProvenanceOptions.AI_SYSTEM, "Example Images 3")
        .option(ProvenanceOptions.PROMPT_METADATA, PromptMetadata.NONE)
        .option(ProvenanceOptions.AIGC_PRODUCER, "001191110108MA01")
        .option(
            ProvenanceOptions.CREATION_TIME,
            ProvenanceOptions.CREATION_TIME.read("2026-11-26T09:00:00Z"))
        .option(ProvenanceOptions.WATERMARK, new WatermarkKey(WATERMARK))
        .option(
            ProvenanceOptions.C2PA_CERTIFICATE,
            file(Authority.pem("chain.pem", AUTHORITY.signer(keys))))
        .option(ProvenanceOptions.C2PA_KEY, file(Authority.pem("key.pem", keys.getPrivate())));
  }

  @Test
  void filesHaveEveryMarkAndNoPrompt() throws IOException {
    RunResult result = marked().run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 2L));
    C2paVerifier verifier =
        new C2paVerifier(
            TrustAnchors.read(Authority.pem("roots.pem", AUTHORITY.root())), Instant.now());
    for (Row row : result.manifest().collectAsList()) {
      byte[] file = Files.readAllBytes(output().resolve(row.<String>getAs("path")));
      ImageMetadata metadata = ImageMetadata.read("x", file);
      assertThat(XmpProperties.read(metadata.xmp().orElseThrow()).orElseThrow())
          .containsEntry("photoshop:Credit", "Example Inc.")
          .containsEntry("Iptc4xmpExt:AISystemUsed", "Example Images 3")
          .containsEntry("Iptc4xmpExt:DigImageGUID", row.getAs("image_id"))
          .containsEntry("xmp:CreateDate", "2026-11-26T09:00:00Z")
          .containsKey("TC260:AIGC")
          .doesNotContainKey("Iptc4xmpExt:AIPromptInformation");
      assertThat(new String(file, StandardCharsets.UTF_8)).doesNotContain("confidential", "secret");
      assertThat(verifier.verify(file).map(C2paReport::trusted)).contains(true);
      assertThat(
              new Watermark(WATERMARK)
                  .detect(Pixels.copy(ImageDecoder.decode(file).orElseThrow()))
                  .found())
          .isTrue();
    }
    try (Stream<Path> files = Files.walk(output())) {
      for (Path each : files.filter(Files::isRegularFile).toList()) {
        String text = Files.readString(each, StandardCharsets.ISO_8859_1);
        assertThat(text).as("%s", each).doesNotContain(WATERMARK, "PRIVATE KEY");
      }
    }
  }

  @Test
  void imagesWithoutPromptsAreRecognizedWithoutTheirManifest() throws IOException {
    TestJob job = marked();
    job.run(pipeline);
    Files.delete(output().resolve("manifest/first.parquet"));

    assertThat(job.runId("second").run(pipeline).summary().labelled())
        .isEqualTo(Map.of("reused", 2L));
  }

  @Test
  void whatFilesSayDoesNotChangeWhichImageItIsAndAWatermarkDoes() throws IOException {
    job().run(pipeline);

    assertThat(
            job()
                .option(ProvenanceOptions.PROVIDER, "Example Inc.")
                .runId("second")
                .run(pipeline)
                .summary()
                .labelled())
        .isEqualTo(Map.of("reused", 2L));
    assertThat(
            job()
                .option(ProvenanceOptions.WATERMARK, new WatermarkKey("k"))
                .runId("third")
                .run(pipeline)
                .summary()
                .labelled())
        .isEqualTo(Map.of("generated", 2L));
  }

  @Test
  void optionsThatNeedEachOtherAreRefusedAlone() {
    refused(Map.of("c2pa-key", "k.pem"), "option 'c2pa-key' is given without 'c2pa-certificate'");
    refused(Map.of("c2pa-certificate", "c.pem"), "option 'c2pa-key' is missing");
    refused(Map.of("quality", "80"), "option 'quality' is 80, but PNG is lossless");
    refused(Map.of("c2pa-timestamp", "ftp://x"), "option 'c2pa-timestamp' is 'ftp://x', but must");
    refused(Map.of("watermark", "*********(redacted)"), "but must be the key itself");
    refused(Map.of("creation-time", "yesterday"), "but must be none, run, or a time with its zone");
  }

  private static void refused(Map<String, String> options, String message) {
    assertThatThrownBy(() -> GenerationRun.check(GenerationOptions.parse(options)))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining(message);
  }
}
