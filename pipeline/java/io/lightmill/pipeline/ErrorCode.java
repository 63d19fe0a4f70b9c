package io.lightmill.pipeline;

/** What went wrong, for machines: manifests and exit statuses carry these names. */
public enum ErrorCode {
  /** An option or a job file asks for something that does not exist or cannot be. */
  CONFIGURATION_INVALID,
  /** The prompt table is missing, empty, unreadable, or lacks what a request needs. */
  INPUT_INVALID,
  /** The output cannot be written. */
  OUTPUT_UNWRITABLE,
  /** Another run holds the lock of the output. */
  OUTPUT_IN_USE,
  /** Two rows of one table carry the same id. */
  ID_DUPLICATE,
  /** A row has no prompt, or the template leaves it empty. */
  PROMPT_MISSING,
  /** The prompt has more tokens than the text encoder takes. */
  PROMPT_TOO_LONG,
  /** Width or height is outside what the checkpoint can draw. */
  SIZE_INVALID,
  /** Any other value of a row is of the wrong type or out of its range. */
  VALUE_INVALID,
  /** A file or component of the checkpoint is missing, or its description contradicts itself. */
  CHECKPOINT_INVALID,
  /** The pipeline class of the checkpoint is not one that Lightmill runs. */
  PIPELINE_UNKNOWN,
  /** A weight file is damaged, lies about its content, or is not safetensors. */
  WEIGHTS_INVALID,
  /** The engine failed while it drew this image. */
  GENERATION_FAILED,
  /** The image was drawn but could not be encoded or stored. */
  STORE_FAILED
}
