package io.lightmill.pipeline.schedule;

import java.util.Set;

/** Keys of scheduler configs that have no effect. */
final class IdleKeys {

  /**
   * Arguments of diffusers' other schedulers, which this one ignores: configs keep them when the
   * scheduler of a checkpoint is replaced.
   */
  static final Set<String> OF_OTHER_SCHEDULERS =
      Set.of(
          "algorithm_type",
          "beta_end",
          "beta_schedule",
          "beta_start",
          "clip_sample",
          "clip_sample_range",
          "disable_corrector",
          "dynamic_thresholding_ratio",
          "euler_at_final",
          "final_sigmas_type",
          "flow_shift",
          "interpolation_type",
          "lambda_min_clipped",
          "lower_order_final",
          "predict_x0",
          "prediction_type",
          "rescale_betas_zero_snr",
          "sample_max_value",
          "scale_factors",
          "set_alpha_to_one",
          "sigma_data",
          "sigma_max",
          "sigma_min",
          "sigma_schedule",
          "skip_prk_steps",
          "solver_order",
          "solver_p",
          "solver_type",
          "steps_offset",
          "thresholding",
          "timestep_spacing",
          "timestep_type",
          "trained_betas",
          "upscale_mode",
          "use_lu_lambdas",
          "variance_type");

  private IdleKeys() {}
}
