package io.lightmill.udfs.draw;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.plan.PlannedImages;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.stream.Collectors;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Writes the manifest rows of one task, in {@link Manifest#schemaInFlight}. */
final class ManifestRows {

  private final GenerationJob job;
  private final Device device;
  private final int attempt;

  ManifestRows(GenerationJob job, Device device, TaskContext task) {
    this.job = job;
    this.device = device;
    this.attempt = task.attemptNumber();
  }

  Row row(Row planned, Outcome outcome) {
    Row passthrough = planned.getAs(PlannedImages.PASSTHROUGH);
    Object[] values = new Object[passthrough.length() + Manifest.COLUMNS.length()];
    for (int i = 0; i < passthrough.length(); i++) {
      values[i] = passthrough.get(i);
    }
    for (int i = 0; i < Manifest.COLUMNS.length(); i++) {
      values[passthrough.length() + i] = value(Manifest.COLUMNS.apply(i).name(), planned, outcome);
    }
    return RowFactory.create(values);
  }

  private String digests(String lora) {
    return lora == null
        ? null
        : LoraBlend.parse(lora).weights().keySet().stream()
            .map(job.identity().model().adapters()::get)
            .collect(Collectors.joining("+"));
  }

  private Object value(String column, Row planned, Outcome outcome) {
    Model model = job.identity().model();
    StoredImage image = outcome.image();
    boolean drawn = outcome.generateMillis() != null;
    return switch (column) {
      case "status" -> outcome.status().label();
      case "error_code" -> outcome.errorCode();
      case "error_message" -> outcome.errorMessage();
      case "path" -> image == null ? null : image.path();
      case "member" -> image == null ? null : image.member();
      case "member_offset" -> image == null ? null : image.memberOffset();
      case "shard_bytes" -> image == null ? null : image.shardBytes();
      case "format" -> image == null ? null : job.identity().format().extension();
      case "bytes" -> image == null ? null : image.bytes();
      case "sha256" -> image == null ? null : image.sha256();
      case "model" -> model.name();
      case "model_digest" -> model.digest();
      case "dtype" -> model.dtype();
      case "lora_digests" -> digests(planned.getAs("lora"));
      case "run_id" -> job.runId();
      case "attempt" -> attempt;
      case "created_at" -> ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
      case "generate_ms" -> outcome.generateMillis();
      case "encode_ms" -> outcome.encodeMillis();
      case "store_ms" -> outcome.storeMillis();
      case "policy_digest" -> job.policyDigest();
      case "device" -> drawn ? device.name() : null;
      default -> planned.getAs(column);
    };
  }
}
