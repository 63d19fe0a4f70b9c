package io.lightmill.pipeline.c2pa;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.SecureRandomSpi;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * ES256: ECDSA on P-256 with SHA-256 (RFC 7518). The JDK signs, and gets its secret number of each
 * signature from the key and the message as RFC 6979 does, so that equal messages have equal
 * signatures. Bouncy Castle could do the same, but costs half a second of a start to load.
 */
final class Es256 {

  private static final String PROVIDER = "SunEC";
  private static final String ALGORITHM = "NONEwithECDSAinP1363Format";
  private static final String HMAC = "HmacSHA256";
  private static final int NUMBER_BYTES = 32;

  private Es256() {}

  /** The signature of a message: two numbers of 32 bytes. */
  static byte[] signature(ECPrivateKey key, byte[] message) {
    byte[] hash = DigestUtils.sha256(message);
    try {
      Signature signature = Signature.getInstance(ALGORITHM, PROVIDER);
      signature.initSign(key, new SecretNumbers(key, hash));
      signature.update(hash);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the JDK signs with a key of P-256", e);
    }
  }

  /** Whether a signature is that of a message, by the owner of a key of any curve. */
  static boolean verifies(PublicKey key, byte[] message, byte[] signed) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM, PROVIDER);
      signature.initVerify(key);
      signature.update(DigestUtils.sha256(message));
      return signature.verify(signed);
    } catch (InvalidKeyException e) {
      return false; // a key of another algorithm
    } catch (GeneralSecurityException e) {
      return false; // a signature of another length
    }
  }

  /** The generator of a signature: the candidates of RFC 6979, section 3.2. */
  private static final class SecretNumbers extends SecureRandom {

    private static final long serialVersionUID = 1L;

    SecretNumbers(ECPrivateKey key, byte[] hash) {
      super(new Candidates(key, hash), null);
    }
  }

  /** Gives each candidate with its least significant byte first, as the JDK reads numbers. */
  private static final class Candidates extends SecureRandomSpi {

    private static final long serialVersionUID = 1L;

    private final BigInteger order;
    private final transient Mac mac;
    private byte[] value = new byte[NUMBER_BYTES];
    private boolean given;

    Candidates(ECPrivateKey key, byte[] hash) {
      order = key.getParams().getOrder();
      byte[] secret = bytes(key.getS());
      byte[] reduced = bytes(new BigInteger(1, hash).mod(order));
      try {
        mac = Mac.getInstance(HMAC);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every JDK has HMAC", e);
      }
      Arrays.fill(value, (byte) 1);
      key(new byte[NUMBER_BYTES]);
      for (byte round = 0; round < 2; round++) {
        key(mac(value, new byte[] {round}, secret, reduced));
        value = mac(value);
      }
    }

    @Override
    protected void engineNextBytes(byte[] bytes) {
      byte[] number = bytes(next());
      Arrays.fill(bytes, (byte) 0);
      for (int i = 0; i < Math.min(bytes.length, NUMBER_BYTES); i++) {
        bytes[i] = number[NUMBER_BYTES - 1 - i];
      }
    }

    private BigInteger next() {
      while (true) {
        if (given) {
          key(mac(value, new byte[] {0}));
          value = mac(value);
        }
        given = true;
        value = mac(value);
        BigInteger candidate = new BigInteger(1, value);
        if (candidate.signum() > 0 && candidate.compareTo(order) < 0) {
          return candidate;
        }
      }
    }

    private void key(byte[] secret) {
      try {
        mac.init(new SecretKeySpec(secret, HMAC));
      } catch (InvalidKeyException e) {
        throw new IllegalStateException("HMAC takes any key", e);
      }
    }

    private byte[] mac(byte[]... parts) {
      for (byte[] part : parts) {
        mac.update(part);
      }
      return mac.doFinal();
    }

    /** 32 bytes, the most significant first. */
    private static byte[] bytes(BigInteger number) {
      byte[] signed = number.toByteArray();
      byte[] bytes = new byte[NUMBER_BYTES];
      int length = Math.min(signed.length, NUMBER_BYTES);
      System.arraycopy(signed, signed.length - length, bytes, NUMBER_BYTES - length, length);
      return bytes;
    }

    @Override
    protected void engineSetSeed(byte[] seed) {
      throw new UnsupportedOperationException("the numbers depend on key and message alone");
    }

    @Override
    protected byte[] engineGenerateSeed(int bytes) {
      throw new UnsupportedOperationException("the numbers depend on key and message alone");
    }
  }
}
