package io.lightmill.pipeline.c2pa;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECPrivateKeySpec;
import java.util.HexFormat;
import java.util.Random;
import org.apache.commons.codec.digest.DigestUtils;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.util.BigIntegers;
import org.junit.jupiter.api.Test;

class Es256Test {

  private static final KeyPair KEYS = Authority.keys();

  /** RFC 6979, appendix A.2.5, SHA-256. */
  @Test
  void theExampleOfTheStandardIsSigned() throws Exception {
    ECPrivateKey key =
        (ECPrivateKey)
            KeyFactory.getInstance("EC")
                .generatePrivate(
                    new ECPrivateKeySpec(
                        new BigInteger(
                            "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", 16),
                        ((ECPublicKey) KEYS.getPublic()).getParams()));

    assertThat(Es256.signature(key, "sample".getBytes(StandardCharsets.US_ASCII)))
        .isEqualTo(
            HexFormat.of()
                .parseHex(
                    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                        + "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"));
  }

  @Test
  void signaturesAreThoseOfBouncyCastle() {
    ECPrivateKey key = (ECPrivateKey) KEYS.getPrivate();
    ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
    signer.init(
        true,
        new ECPrivateKeyParameters(
            key.getS(), new ECDomainParameters(CustomNamedCurves.getByName("P-256"))));
    Random random = new Random(1);
    for (int i = 0; i < 50; i++) {
      byte[] message = new byte[random.nextInt(300)];
      random.nextBytes(message);
      BigInteger[] numbers = signer.generateSignature(DigestUtils.sha256(message));
      byte[] expected = new byte[64];
      BigIntegers.asUnsignedByteArray(numbers[0], expected, 0, 32);
      BigIntegers.asUnsignedByteArray(numbers[1], expected, 32, 32);

      byte[] signature = Es256.signature(key, message);

      assertThat(signature).isEqualTo(expected);
      assertThat(Es256.verifies(KEYS.getPublic(), message, signature)).isTrue();
      signature[random.nextInt(64)]++;
      assertThat(Es256.verifies(KEYS.getPublic(), message, signature)).isFalse();
    }
  }

  @Test
  void keysOfOtherCurvesVerifyNothing() {
    byte[] signature = Es256.signature((ECPrivateKey) KEYS.getPrivate(), new byte[1]);

    assertThat(Es256.verifies(Authority.keys("secp384r1").getPublic(), new byte[1], signature))
        .isFalse();
  }
}
