package io.lightmill.udfs.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import java.util.List;
import org.junit.jupiter.api.Test;

class ManifestColumnsTest {

  /** Readers of manifests rely on it. */
  @Test
  void theSchemaOfTheManifestIsPinned() {
    assertThat(Manifest.COLUMNS.toDDL())
        .isEqualTo(
            "image_id STRING,id STRING,variant INT,status STRING,error_code STRING,error_message"
                + " STRING,verdict STRING,verdict_stage STRING,verdict_category"
                + " STRING,verdict_severity STRING,verdict_rule STRING,verdict_score"
                + " DOUBLE,verdict_threshold DOUBLE,verdicts STRING,policy_digest STRING,revises"
                + " STRING,path STRING,path_uri STRING,member STRING,member_offset"
                + " BIGINT,shard_bytes BIGINT,format STRING,bytes BIGINT,sha256 STRING,blank"
                + " BOOLEAN,width INT,height INT,prompt STRING,negative_prompt"
                + " STRING,num_inference_steps INT,guidance_scale DOUBLE,true_cfg_scale"
                + " DOUBLE,max_sequence_length INT,seed BIGINT,sampling_efficiency STRING,seed_used"
                + " BIGINT,draws INT,scores STRING,prompt_truncated BOOLEAN,lora"
                + " STRING,lora_digests STRING,model STRING,model_digest STRING,dtype"
                + " STRING,reproducible BOOLEAN,run_id STRING,attempt INT,created_at"
                + " TIMESTAMP,generate_ms DOUBLE,encode_prompt_ms DOUBLE,denoise_ms"
                + " DOUBLE,decode_ms DOUBLE,transformer_calls INT,encode_ms DOUBLE,store_ms"
                + " DOUBLE,device STRING,cost DOUBLE,row_digest STRING");
  }

  @Test
  void shardsHoldTheColumnsThatTellOfTheImage() {
    assertThat(ManifestColumns.ALL)
        .filteredOn(ManifestColumn::aboutRun)
        .extracting(ManifestColumn::name)
        .containsExactly(
            "status",
            "error_code",
            "error_message",
            "verdict",
            "verdict_stage",
            "verdict_category",
            "verdict_severity",
            "verdict_rule",
            "verdict_score",
            "verdict_threshold",
            "verdicts",
            "policy_digest",
            "path",
            "path_uri",
            "member",
            "member_offset",
            "shard_bytes",
            "blank",
            "seed_used",
            "draws",
            "scores",
            "run_id",
            "attempt",
            "created_at",
            "generate_ms",
            "encode_prompt_ms",
            "denoise_ms",
            "decode_ms",
            "transformer_calls",
            "encode_ms",
            "store_ms",
            "device",
            "cost",
            "row_digest");
    assertThat(ManifestColumns.aboutRun("sku")).isFalse();
  }

  @Test
  void everyColumnOfRequestsIsAColumnOfTheManifest() {
    List<String> inRequests =
        RequestColumns.ALL.stream()
            .filter(RequestColumn::inRequest)
            .map(RequestColumn::name)
            .toList();

    assertThat(Manifest.reserved()).containsAll(inRequests).doesNotHaveDuplicates();
  }
}
