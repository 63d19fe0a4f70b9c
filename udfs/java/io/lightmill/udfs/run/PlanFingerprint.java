package io.lightmill.udfs.run;

import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.report.BuildVersions;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.PromptRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Fingerprint of everything that the plan of a row depends on besides the values of the row:
 * release, columns of the table, model, defaults, policy, path template and format. Rows with equal
 * values have equal plans under equal fingerprints.
 */
final class PlanFingerprint {

  /** To be changed whenever the plan of a row depends on something else. */
  private static final String VERSION = "lightmill plan 1";

  private PlanFingerprint() {}

  static String of(PreparedRun run) {
    PromptRows table = run.table();
    GenerationOptions options = run.options();
    JobCheckpoint checkpoint = run.checkpoint();
    List<String> parts = new ArrayList<>();
    parts.add(VERSION);
    Map<String, String> built = BuildVersions.byName();
    parts.add(built.get("lightmill"));
    parts.add(built.get("commit"));
    parts.add(built.get("spark"));
    parts.add(table.rows().schema().json());
    addColumns(parts, table.columns());
    addModel(parts, checkpoint, ImageFiles.identity(checkpoint.model(), options));
    parts.add(new TreeMap<>(options.columnDefaults(checkpoint.limits())).toString());
    parts.add(options.get(Options.SEED).toString());
    parts.add(options.get(Options.TRUNCATE_PROMPTS).toString());
    parts.add(options.find(Options.PATH_TEMPLATE).orElse(PathTemplate.STANDARD));
    parts.add(run.packing().map(packing -> packing.format().name()).orElse(""));
    parts.add(run.policy().map(PromptPolicy::digest).orElse(""));
    StringBuilder all = new StringBuilder();
    parts.forEach(part -> all.append(part.length()).append(':').append(part));
    return DigestUtils.sha256Hex(all.toString());
  }

  private static void addColumns(List<String> parts, PromptColumns columns) {
    Map<String, String> sources = new TreeMap<>();
    columns.sources().forEach((ours, theirs) -> sources.put(ours.name(), theirs));
    parts.add(sources.toString());
    parts.add(columns.size().orElse(""));
    parts.add(
        columns
            .template()
            .map(template -> template.columns() + " " + template.literals())
            .orElse(""));
    parts.add(columns.passthrough().toString());
  }

  private static void addModel(
      List<String> parts, JobCheckpoint checkpoint, ImageIdentity identity) {
    Model model = checkpoint.model();
    parts.add(model.digest());
    parts.add(String.valueOf(model.pipelineClass()));
    parts.add(String.valueOf(model.scheduler()));
    parts.add(String.valueOf(model.dtype()));
    parts.add(new TreeMap<>(model.adapters()).toString());
    parts.add(model.checks());
    parts.add(checkpoint.limits().toString());
    parts.add(identity.file().toString());
    parts.add(String.valueOf(identity.watermark()));
  }
}
