package io.lightmill.udfs.draw;

import io.lightmill.pipeline.c2pa.C2paSigner;
import io.lightmill.pipeline.c2pa.SigningCredential;
import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import io.lightmill.pipeline.c2pa.TimestampServer;
import io.lightmill.udfs.checkpoint.SmallFile;
import io.lightmill.udfs.option.ProvenanceOptions;
import java.io.Serializable;
import java.net.URI;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Where executors find the credential of C2PA manifests. Only the locations are sent to them: the
 * key is in no task, broadcast or log.
 *
 * @param certificate location of the chain
 * @param key location of the private key
 * @param timestamps server of time stamps; null for none
 */
public record ImageSigning(
    String certificate, String key, URI timestamps, SerializableConfiguration hadoop)
    implements Serializable {

  private record Source(String certificate, String key, URI timestamps) {}

  private static final Map<Source, C2paSigner> SIGNERS = new ConcurrentHashMap<>();

  /** Reads and checks the credential anew, on the driver before a run. */
  public void check() {
    SIGNERS.put(source(), read());
  }

  /**
   * The signer of this JVM, which reads the files once.
   *
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID} if the
   *     files cannot be read here or do not fit each other
   */
  C2paSigner signer() {
    return SIGNERS.computeIfAbsent(source(), source -> read());
  }

  private Source source() {
    return new Source(certificate, key, timestamps);
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
