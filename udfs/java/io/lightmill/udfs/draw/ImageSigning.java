package io.lightmill.udfs.draw;

import io.lightmill.pipeline.c2pa.C2paSigner;
import io.lightmill.pipeline.c2pa.SigningCredential;
import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import io.lightmill.pipeline.c2pa.TimestampServer;
import io.lightmill.udfs.checkpoint.SmallFile;
import io.lightmill.udfs.option.ProvenanceOptions;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.Serializable;
import java.net.URI;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;

/**
 * Where executors find the credential of C2PA manifests. Only the locations are sent to them: the
 * key is in no task, broadcast or log.
 *
 * @param certificate location of the chain
 * @param key location of the private key
 * @param timestamps server of time stamps; null for none
 * @param digest of the chain, so that executors read renewed files again
 */
public record ImageSigning(
    String certificate, String key, URI timestamps, String digest, SharedConfiguration hadoop)
    implements Serializable {

  private record Source(String certificate, String key, URI timestamps, String digest) {}

  private static final Map<Source, C2paSigner> SIGNERS = new ConcurrentHashMap<>();

  /**
   * Reads and checks the credential, on the driver before a run.
   *
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID} if the
   *     files cannot be read or do not fit each other
   */
  public static ImageSigning of(
      String certificate, String key, URI timestamps, Configuration hadoop) {
    String digest =
        DigestUtils.sha256Hex(
            SmallFile.read(ProvenanceOptions.C2PA_CERTIFICATE.key(), certificate, hadoop));
    ImageSigning signing =
        new ImageSigning(certificate, key, timestamps, digest, new SharedConfiguration(hadoop));
    SIGNERS.put(signing.source(), signing.read());
    return signing;
  }

  /**
   * The signer of this JVM, which reads the files once, and again when the certificate has expired.
   *
   * @throws io.lightmill.pipeline.LightmillException as {@link #of}
   */
  C2paSigner signer() {
    return SIGNERS.compute(
        source(),
        (source, signer) ->
            signer == null || Instant.now().isAfter(signer.validUntil()) ? read() : signer);
  }

  private Source source() {
    return new Source(certificate, key, timestamps, digest);
  }

  private C2paSigner read() {
    SigningCredential credential =
        SigningCredential.read(
            file(ProvenanceOptions.C2PA_CERTIFICATE.key(), certificate),
            file(ProvenanceOptions.C2PA_KEY.key(), key),
            Instant.now());
    return new C2paSigner(credential, Optional.ofNullable(timestamps).map(TimestampServer::new));
  }

  private PemFile file(String option, String location) {
    return new PemFile(location, SmallFile.read(option, location, hadoop.value()));
  }
}
