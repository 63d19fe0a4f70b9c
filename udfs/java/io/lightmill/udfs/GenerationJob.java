package io.lightmill.udfs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;

/** What the generating tasks of one run have in common. */
record GenerationJob(
    ImageIdentity identity,
    ClassifierFreeGuidance guidance,
    String output,
    String runId,
    Cluster cluster,
    PipelineLoader loader,
    SerializableConfiguration hadoop)
    implements Serializable {}
