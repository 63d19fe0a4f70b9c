package io.lightmill.pipeline;

/** The kinds of errors; manifests and exit statuses use these names. */
public enum ErrorCode {
  /** An option or a key of a job file is unknown or has an invalid value. */
  CONFIGURATION_INVALID,
  /** The prompt table is missing, empty or unreadable, or lacks a required column. */
  INPUT_INVALID,
  /** The output cannot be written. */
  OUTPUT_UNWRITABLE,
  /** Another run holds the lock of the output. */
  OUTPUT_IN_USE,
  /** Two rows of one table have the same id. */
  ID_DUPLICATE,
  /** A row has no prompt, or the template leaves it empty. */
  PROMPT_MISSING,
  /** The prompt has more tokens than the text encoder reads. */
  PROMPT_TOO_LONG,
  /** Width or height is outside the limits of the checkpoint. */
  SIZE_INVALID,
  /** Any other value of a row is of the wrong type or out of its range. */
  VALUE_INVALID,
  /** The policy blocks the prompt. */
  PROMPT_BLOCKED,
  /** The image checks block the image. */
  IMAGE_BLOCKED,
  /** A policy file is missing, unreadable, or has an unknown key or an invalid value. */
  POLICY_INVALID,
  /** A file or component of the checkpoint is missing, or its configs contradict each other. */
  CHECKPOINT_INVALID,
  /** The pipeline class of the checkpoint is not one that Lightmill runs. */
  PIPELINE_UNKNOWN,
  /** A weight file is damaged, has a wrong header, or is not safetensors. */
  WEIGHTS_INVALID,
  /** The engine failed to draw this image. */
  GENERATION_FAILED,
  /** The filter of a hosted model blocks the prompt or the image. */
  PROVIDER_BLOCKED,
  /** The endpoint of a hosted model refuses the request, or does not answer it with success. */
  PROVIDER_FAILED,
  /** The answer of a hosted model has no usable image. */
  PROVIDER_ANSWER_INVALID,
  /**
   * The answer of a hosted model was lost after the request was sent: whether it was paid is not
   * known.
   */
  PROVIDER_ANSWER_LOST,
  /**
   * The request to a hosted model is not sent, since the run ends or its maximum cost is reached.
   */
  REQUEST_NOT_SENT,
  /** A network computed NaN or infinity for this image. */
  IMAGE_NOT_FINITE,
  /** All pixels of the image have one colour. */
  IMAGE_BLANK,
  /** The image was drawn but could not be encoded or stored. */
  STORE_FAILED,
  /** The store did not respond for too long, and the run ended; a rerun reuses its images. */
  STORE_UNAVAILABLE,
  /** The run was ended on request or by its deadline before it could commit a manifest. */
  RUN_STOPPED
}
