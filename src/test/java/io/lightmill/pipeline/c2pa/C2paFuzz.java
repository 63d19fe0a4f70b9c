package io.lightmill.pipeline.c2pa;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.ImageLabels;
import io.lightmill.pipeline.image.ManifestEmbedding;
import io.lightmill.pipeline.image.Pictures;
import io.lightmill.pipeline.image.Receipts;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * C2PA manifest stores. The first byte of an input chooses the format of the image file, and the
 * rest is the manifest store in it. A store that is valid in one file must not be so in a file with
 * another picture, and no store is trusted whose signer nobody knows.
 */
public final class C2paFuzz implements FuzzTarget {

  @SuppressWarnings("TimeInStaticInitializer") // the time of these tests
  private static final Instant NOW = Instant.now();

  private final C2paVerifier verifier = new C2paVerifier(TrustAnchors.NONE, NOW);
  private final List<byte[]> files = new ArrayList<>();
  private final List<byte[]> others = new ArrayList<>();

  public C2paFuzz() {
    for (ImageFormat format : ImageFormat.values()) {
      files.add(file(format, 0x804020));
      others.add(file(format, 0x804022));
    }
  }

  private static byte[] file(ImageFormat format, int colour) {
    return ImageEncoder.encode(
        Pictures.plain(8, 8, colour), Receipts.of("a"), ImageLabels.NONE, FileFormat.of(format));
  }

  @Override
  public void run(byte[] input) {
    if (input.length < 9) {
      return; // the header of a box, which JPEG repeats
    }
    int format = (input[0] & 0xff) % files.size();
    byte[] store = Arrays.copyOfRange(input, 1, input.length);
    boolean valid = valid(files.get(format), store);
    if (valid) {
      FuzzTarget.require(
          !valid(others.get(format), store), "a manifest is valid for one picture only");
    }
  }

  private boolean valid(byte[] file, byte[] store) {
    Optional<C2paReport> report = verifier.verify(ManifestEmbedding.insert(file, store));
    report.ifPresent(it -> FuzzTarget.require(!it.trusted(), "an unknown signer is not trusted"));
    return report.map(C2paReport::valid).orElse(false);
  }

  private static SigningCredential.PemFile pkcs8(KeyPair keys) {
    String body = Base64.getMimeEncoder().encodeToString(keys.getPrivate().getEncoded());
    String pem = "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n";
    return new SigningCredential.PemFile("key.pem", pem.getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  public List<byte[]> seeds() {
    Authority authority = new Authority();
    KeyPair keys = Authority.keys();
    C2paSigner signer =
        new C2paSigner(
            SigningCredential.read(
                Authority.pem("chain.pem", authority.signer(keys)), pkcs8(keys), NOW),
            Optional.empty());
    C2paClaim claim = new C2paClaim("Lightmill", "pocket", Optional.of(NOW));
    List<byte[]> seeds = new ArrayList<>();
    for (int format = 0; format < files.size(); format++) {
      byte[] store =
          ManifestEmbedding.find(signer.sign(files.get(format), claim)).orElseThrow().store();
      seeds.add(ByteBuffer.allocate(1 + store.length).put((byte) format).put(store).array());
    }
    return seeds;
  }
}
