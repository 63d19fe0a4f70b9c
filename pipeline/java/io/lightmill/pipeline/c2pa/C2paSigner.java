package io.lightmill.pipeline.c2pa;

import io.lightmill.pipeline.image.ManifestEmbedding;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Adds C2PA manifests to image files (C2PA specification 2.1): a claim of version 2 with the
 * assertions {@code c2pa.actions.v2} and {@code c2pa.hash.data}, signed with ES256. Without time
 * stamps, the same file and claim give the same bytes.
 */
public final class C2paSigner {

  static final String TRAINED_ALGORITHMIC_MEDIA =
      "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

  static final String ACTIONS = "c2pa.actions.v2";
  static final String DATA_HASH = "c2pa.hash.data";
  static final String ASSERTION_STORE = "c2pa.assertions";
  static final String CLAIM = "c2pa.claim.v2";
  static final String SIGNATURE = "c2pa.signature";
  static final String STORE = "c2pa";

  private static final int TIME_TAG = 0;
  private static final int SIGNATURE_BYTES = 64;

  /** Of a manifest store, to begin with. */
  private static final int USUAL_LENGTH = 2000;

  private final SigningCredential credential;
  private final byte[] header;
  private final Optional<TimestampServer> timestamps;

  public C2paSigner(SigningCredential credential, Optional<TimestampServer> timestamps) {
    this.credential = credential;
    this.header = CoseSign1.header(credential.chain());
    this.timestamps = timestamps;
  }

  /** The end of the validity of the signer's certificate. */
  public Instant validUntil() {
    return credential.validUntil();
  }

  /**
   * The file with a manifest.
   *
   * @param file a complete PNG, JPEG or WebP without one
   * @throws io.lightmill.pipeline.LightmillException with {@code STORE_FAILED} if the time stamp
   *     server gives none
   */
  public byte[] sign(byte[] file, C2paClaim claim) {
    byte[] digest = DigestUtils.sha256(file);
    String manifest = "urn:c2pa:" + uuid(digest, 0);
    byte[] actions = Jumbf.cbor(Jumbf.CBOR, ACTIONS, actions(claim));
    Room room = room(file, claim, manifest, digest, actions);
    byte[] hash =
        dataHash(room.place(), ManifestEmbedding.hashWithout(file, digest, room.store()), room);
    byte[] claimed = claim(claim, manifest, digest, actions, hash);
    byte[] signed = store(manifest, actions, hash, claimed, signature(claimed));
    if (signed.length != room.store()) {
      throw new IllegalStateException(
          "a manifest store of %d bytes instead of %d".formatted(signed.length, room.store()));
    }
    return ManifestEmbedding.insert(file, signed);
  }

  /**
   * What the length of a manifest store depends on.
   *
   * @param place of the store in the file, which is a part of the store
   * @param padding bytes that make its length even, since RIFF pads odd chunks and readers disagree
   *     whether the padding belongs to the manifest
   * @param store length of the store
   */
  private record Room(ManifestEmbedding.Place place, int padding, int store) {}

  /** Finds the length: places of about the same size are numbers of the same length. */
  private Room room(byte[] file, C2paClaim claim, String manifest, byte[] digest, byte[] actions) {
    byte[] noHash = new byte[digest.length];
    byte[] unsigned = unsigned();
    int length = USUAL_LENGTH;
    int padding = 0;
    while (true) {
      Room room = new Room(ManifestEmbedding.place(file, length), padding, length);
      byte[] unknown = dataHash(room.place(), noHash, room);
      byte[] claimed = claim(claim, manifest, digest, actions, unknown);
      int found = store(manifest, actions, unknown, claimed, unsigned).length;
      ManifestEmbedding.Place place = ManifestEmbedding.place(file, found);
      if (found % 2 != 0) {
        padding = (padding + 1) % 2;
      } else if (dataHash(place, noHash, room).length == unknown.length) {
        return new Room(place, padding, found);
      }
      length = found;
    }
  }

  private byte[] signature(byte[] claim) {
    CoseSign1 signed =
        new CoseSign1(
            header, Optional.empty(), credential.signature(CoseSign1.toBeSigned(header, claim)));
    return timestamps
        .map(server -> server.token(signed.toBeStamped()))
        .map(token -> new CoseSign1(header, Optional.of(token), signed.signature()))
        .orElse(signed)
        .bytes();
  }

  private byte[] unsigned() {
    return new CoseSign1(
            header, timestamps.map(server -> CoseSign1.noToken()), new byte[SIGNATURE_BYTES])
        .bytes();
  }

  private static byte[] store(
      String manifest, byte[] actions, byte[] dataHash, byte[] claim, byte[] signature) {
    return Jumbf.superbox(
        Jumbf.STORE,
        STORE,
        Jumbf.superbox(
            Jumbf.MANIFEST,
            manifest,
            Jumbf.superbox(Jumbf.ASSERTIONS, ASSERTION_STORE, actions, dataHash),
            Jumbf.cbor(Jumbf.CLAIM, CLAIM, claim),
            Jumbf.cbor(Jumbf.SIGNATURE, SIGNATURE, signature)));
  }

  private static byte[] claim(
      C2paClaim claim, String manifest, byte[] digest, byte[] actions, byte[] dataHash) {
    Map<String, Object> parts = new LinkedHashMap<>();
    parts.put("instanceID", "xmp:iid:" + uuid(digest, 16));
    parts.put("claim_generator_info", Map.of("name", claim.software()));
    parts.put("signature", "self#jumbf=/c2pa/" + manifest + "/" + SIGNATURE);
    parts.put(
        "created_assertions", List.of(hashedUri(ACTIONS, actions), hashedUri(DATA_HASH, dataHash)));
    parts.put("alg", "sha256");
    return Cbor.bytes(parts);
  }

  private static Map<String, Object> hashedUri(String label, byte[] assertion) {
    Map<String, Object> uri = new LinkedHashMap<>();
    uri.put("url", "self#jumbf=" + ASSERTION_STORE + "/" + label);
    uri.put("hash", DigestUtils.sha256(Jumbf.hashed(assertion)));
    return uri;
  }

  private static byte[] actions(C2paClaim claim) {
    Map<String, Object> created = new LinkedHashMap<>();
    created.put("action", "c2pa.created");
    claim.created().ifPresent(at -> created.put("when", new Cbor.Tagged(TIME_TAG, at.toString())));
    created.put("softwareAgent", Map.of("name", claim.system()));
    created.put("digitalSourceType", TRAINED_ALGORITHMIC_MEDIA);
    return Cbor.bytes(Map.of("actions", List.of(created)));
  }

  private static byte[] dataHash(ManifestEmbedding.Place place, byte[] hash, Room room) {
    Map<String, Object> exclusion = new LinkedHashMap<>();
    exclusion.put("start", place.start());
    exclusion.put("length", place.length());
    Map<String, Object> parts = new LinkedHashMap<>();
    parts.put("exclusions", List.of(exclusion));
    parts.put("name", "jumbf manifest");
    parts.put("alg", "sha256");
    parts.put("hash", hash);
    parts.put("pad", new byte[room.padding()]);
    return Jumbf.cbor(Jumbf.CBOR, DATA_HASH, Cbor.bytes(parts));
  }

  /** A UUID of version 4 with the bits of a digest for random ones. */
  private static UUID uuid(byte[] digest, int start) {
    ByteBuffer bits = ByteBuffer.wrap(digest, start, 16);
    long high = (bits.getLong() & ~0xf000L) | 0x4000L;
    long low = (bits.getLong() & 0x3fffffffffffffffL) | 0x8000000000000000L;
    return new UUID(high, low);
  }
}
