package io.lightmill.udfs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What the generating tasks of one run have in common.
 *
 * @param policyDigest of the content policy; null without one
 */
record GenerationJob(
    ImageIdentity identity,
    ClassifierFreeGuidance guidance,
    String output,
    String runId,
    OwnImages own,
    DrawingStop stop,
    String policyDigest,
    Cluster cluster,
    PipelineLoader loader,
    SerializableConfiguration hadoop)
    implements Serializable {}
