package io.lightmill.udfs;

import java.io.Serializable;

/**
 * The checkpoint of a job, by what identifies it.
 *
 * @param name as the user wrote it
 * @param digest of the files that decide pixels
 * @param pipelineClass diffusers' class, such as {@code FluxPipeline}
 * @param scheduler diffusers' class, such as {@code FlowMatchEulerDiscreteScheduler}
 * @param dtype of the weights on the device, such as {@code bfloat16}
 */
record Model(String name, String digest, String pipelineClass, String scheduler, String dtype)
    implements Serializable {}
