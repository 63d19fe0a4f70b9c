package io.lightmill.pipeline.c2pa;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.KeyPair;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TSPAlgorithms;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.util.CollectionStore;

/** A time stamp server on loopback. */
public final class TimestampAuthority implements AutoCloseable {

  private final HttpServer server;
  private final TimeStampResponseGenerator responses;
  private final Instant time;

  /**
   * @param time of all its stamps
   */
  public TimestampAuthority(Authority authority, Instant time) {
    this.time = time;
    KeyPair keys = Authority.keys("secp256r1");
    X509CertificateHolder certificate =
        authority.signer(keys, KeyPurposeId.id_kp_timeStamping, time.plusSeconds(86_400));
    try {
      TimeStampTokenGenerator tokens =
          new TimeStampTokenGenerator(
              new JcaSimpleSignerInfoGeneratorBuilder()
                  .build("SHA256withECDSA", keys.getPrivate(), certificate),
              new JcaDigestCalculatorProviderBuilder()
                  .build()
                  .get(
                      new org.bouncycastle.asn1.x509.AlgorithmIdentifier(
                          org.bouncycastle.asn1.nist.NISTObjectIdentifiers.id_sha256)),
              new ASN1ObjectIdentifier("1.2.3.4.1"));
      tokens.addCertificates(new CollectionStore<>(List.of(certificate)));
      this.responses = new TimeStampResponseGenerator(tokens, TSPAlgorithms.ALLOWED);
      this.server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (OperatorCreationException | TSPException | IOException e) {
      throw new IllegalStateException(e);
    }
    server.createContext("/", this::answer);
    server.start();
  }

  public URI location() {
    return URI.create("http://127.0.0.1:%d/tsa".formatted(server.getAddress().getPort()));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      TimeStampRequest request = new TimeStampRequest(exchange.getRequestBody().readAllBytes());
      byte[] response =
          responses.generate(request, BigInteger.valueOf(1), Date.from(time)).getEncoded();
      exchange.sendResponseHeaders(200, response.length);
      exchange.getResponseBody().write(response);
    } catch (TSPException e) {
      throw new IOException(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
