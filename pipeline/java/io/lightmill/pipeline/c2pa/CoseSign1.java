package io.lightmill.pipeline.c2pa;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A COSE_Sign1 structure (RFC 9052) whose payload, a claim, is elsewhere.
 *
 * @param protectedHeader the algorithm and the chain of certificates, as CBOR
 * @param timestamp RFC 3161 time stamp token of the signature
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record CoseSign1(byte[] protectedHeader, Optional<byte[]> timestamp, byte[] signature) {

  static final int ES256 = -7;

  private static final int TAG = 18;
  private static final int ALGORITHM = 1;
  private static final int X5CHAIN = 33;
  private static final String TIMESTAMPS = "sigTst2";

  /** Room for a time stamp token, whose length is unknown until the file's length is signed. */
  private static final int TIMESTAMP_ROOM = 12_000;

  private static final int LEAST_PADDING = 256;

  /** A protected header for ES256. A chain of one certificate is not an array (RFC 9360). */
  static byte[] header(List<byte[]> chain) {
    Map<Object, Object> header = new LinkedHashMap<>();
    header.put(ALGORITHM, ES256);
    header.put(X5CHAIN, chain.size() == 1 ? chain.get(0) : chain);
    return Cbor.bytes(header);
  }

  /** What the signer signs. */
  static byte[] toBeSigned(byte[] protectedHeader, byte[] claim) {
    return structure("Signature1", protectedHeader, claim);
  }

  /** What the time stamp covers, in C2PA's sigTst2. */
  byte[] toBeStamped() {
    return structure("CounterSignature", protectedHeader, Cbor.bytes(signature));
  }

  private static byte[] structure(String context, byte[] protectedHeader, byte[] payload) {
    return Cbor.bytes(List.of(context, protectedHeader, new byte[0], payload));
  }

  /** The same length for every time stamp token. */
  byte[] bytes() {
    Map<String, Object> unprotected = new LinkedHashMap<>();
    timestamp.ifPresent(
        token -> {
          unprotected.put(TIMESTAMPS, Map.of("tstTokens", List.of(Map.of("val", token))));
          unprotected.put("pad", new byte[TIMESTAMP_ROOM - token.length]);
        });
    return Cbor.bytes(
        new Cbor.Tagged(TAG, Arrays.asList(protectedHeader, unprotected, null, signature)));
  }

  /** A token for {@link #bytes} while there is none. */
  static byte[] noToken() {
    return new byte[LEAST_PADDING];
  }

  /** Whether a token has room. */
  static boolean fits(byte[] token) {
    return token.length >= LEAST_PADDING && token.length <= TIMESTAMP_ROOM - LEAST_PADDING;
  }

  /**
   * @throws MalformedManifestException if the bytes are no such structure
   */
  static CoseSign1 read(byte[] cose) {
    JsonNode parts = Cbor.read(cose);
    if (!parts.isArray()
        || parts.size() != 4
        || !parts.get(0).isBinary()
        || !parts.get(3).isBinary()) {
      throw new MalformedManifestException("its signature is no COSE_Sign1 structure");
    }
    JsonNode token = parts.get(1).path(TIMESTAMPS).path("tstTokens").path(0).path("val");
    return new CoseSign1(
        binary(parts.get(0)),
        token.isBinary() ? Optional.of(binary(token)) : Optional.empty(),
        binary(parts.get(3)));
  }

  int algorithm() {
    return Cbor.read(protectedHeader).path(Integer.toString(ALGORITHM)).asInt();
  }

  /** Certificates in DER; the signer's is the first. */
  List<byte[]> chain() {
    JsonNode found = Cbor.read(protectedHeader).path(Integer.toString(X5CHAIN));
    List<byte[]> chain = new ArrayList<>();
    if (found.isBinary()) {
      chain.add(binary(found));
    }
    found.forEach(each -> chain.add(binary(each)));
    if (chain.isEmpty()) {
      throw new MalformedManifestException("its signature has no certificate");
    }
    return chain;
  }

  static byte[] binary(JsonNode node) {
    try {
      byte[] bytes = node.binaryValue();
      if (bytes == null) {
        throw new MalformedManifestException("a part of it is not a byte string");
      }
      return bytes;
    } catch (IOException e) {
      throw new MalformedManifestException("a part of it is not a byte string", e);
    }
  }
}
