package io.lightmill.udfs.draw;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.PipelineLoader;
import io.lightmill.udfs.earlier.AttemptImages;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.shard.Packing;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.Serializable;

/**
 * What the generating tasks of one run have in common.
 *
 * @param packing of the images; null to leave each an object of its own
 * @param quarantine directory below the output for blocked images; null to store none
 * @param batching how many images are drawn together
 * @param hosted null for a checkpoint that is drawn on devices
 * @param repeated whether an earlier job of this run may have stored some of its images
 * @param threadsPerImage that the drawing of an image may use on a CPU
 * @param thumbnails small copies of images for the pages of the run
 */
public record GenerationJob(
    ImageIdentity identity,
    ClassifierFreeGuidance guidance,
    ImageMarking marking,
    String output,
    String runId,
    Packing packing,
    String quarantine,
    Batching batching,
    HostedSending hosted,
    AttemptImages own,
    boolean repeated,
    DrawingStop stop,
    Cluster cluster,
    int threadsPerImage,
    PipelineLoader loader,
    DrawingCounters counters,
    Thumbnails thumbnails,
    SharedConfiguration hadoop)
    implements Serializable {}
