package io.lightmill.pipeline.schedule;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * The noise levels of a flow-matching model, under diffusers' names and equal to the last float:
 * {@code FlowMatchEulerDiscreteScheduler}. A noise level ("sigma") of 1 is pure noise, 0 is the
 * image.
 *
 * @param numTrainTimesteps timesteps of a noise level of 1
 * @param shift of all noise levels upwards, {@code shift * x / (1 + (shift - 1) * x)}; of no effect
 *     where {@code useDynamicShifting}
 * @param useDynamicShifting shift by {@code mu} instead, which grows with the image
 * @param baseShift mu of an image of {@code baseImageSeqLen} tokens
 * @param maxShift mu of an image of {@code maxImageSeqLen} tokens
 * @param baseImageSeqLen tokens of the transformer
 * @param maxImageSeqLen tokens of the transformer
 * @param invertSigmas for models with noise at 0 and the image at 1
 * @param shiftTerminal the noise level of the last step, to which all others are stretched
 * @param useKarrasSigmas respace the noise levels between the first and the last, after Karras
 * @param useExponentialSigmas respace them evenly in their logarithms
 * @param useBetaSigmas respace them by the quantiles of a beta distribution
 * @param timeShiftType of the shift by {@code mu}
 * @param stochasticSampling whether each step predicts the image and adds new noise: {@code x0 = x
 *     - sigma * v}, then {@code (1 - next) * x0 + next * noise}, instead of the Euler step {@code x
 *     + (next - sigma) * v}
 * @param useFlowSigmas no argument of diffusers' class, but FLUX's pipelines read it from the
 *     config: see {@link #linearOrOwn}
 */
public record FlowMatchEulerDiscreteScheduler(
    int numTrainTimesteps,
    double shift,
    boolean useDynamicShifting,
    double baseShift,
    double maxShift,
    int baseImageSeqLen,
    int maxImageSeqLen,
    boolean invertSigmas,
    OptionalDouble shiftTerminal,
    boolean useKarrasSigmas,
    boolean useExponentialSigmas,
    boolean useBetaSigmas,
    TimeShiftType timeShiftType,
    boolean stochasticSampling,
    boolean useFlowSigmas) {

  /** diffusers' name of this class. */
  public static final String CLASS_NAME = "FlowMatchEulerDiscreteScheduler";

  /**
   * Reads a {@code scheduler_config.json}. Missing keys have diffusers' defaults.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if the config contradicts itself or
   *     has an unknown key
   */
  public static FlowMatchEulerDiscreteScheduler of(ComponentConfig config) {
    FlowMatchEulerDiscreteScheduler scheduler =
        new FlowMatchEulerDiscreteScheduler(
            config.count("num_train_timesteps", 1000),
            config.positive("shift", 1),
            config.flag("use_dynamic_shifting", false),
            config.number("base_shift", 0.5),
            config.number("max_shift", 1.15),
            config.count("base_image_seq_len", 256),
            config.count("max_image_seq_len", 4096),
            config.flag("invert_sigmas", false),
            shiftTerminal(config),
            config.flag("use_karras_sigmas", false),
            config.flag("use_exponential_sigmas", false),
            config.flag("use_beta_sigmas", false),
            timeShiftType(config),
            config.flag("stochastic_sampling", false),
            config.flag("use_flow_sigmas", false));
    scheduler.requireConsistency(config);
    config.requireAllRead(IdleKeys.OF_OTHER_SCHEDULERS);
    return scheduler;
  }

  private static OptionalDouble shiftTerminal(ComponentConfig config) {
    double terminal = config.number("shift_terminal", 0);
    if (terminal < 0 || terminal >= 1) {
      throw config.wrong("shift_terminal", "a number from 0 and below 1");
    }
    return terminal == 0 ? OptionalDouble.empty() : OptionalDouble.of(terminal);
  }

  private static TimeShiftType timeShiftType(ComponentConfig config) {
    String name = config.choice("time_shift_type", "exponential", List.of("exponential", "linear"));
    return TimeShiftType.valueOf(name.toUpperCase(Locale.ROOT));
  }

  private void requireConsistency(ComponentConfig config) {
    List<String> spacings =
        Stream.of("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")
            .filter(key -> config.flag(key, false))
            .toList();
    if (spacings.size() > 1) {
      throw config.wrong(spacings.get(1), "false where %s is true".formatted(spacings.get(0)));
    }
    if (baseImageSeqLen == maxImageSeqLen) {
      throw config.wrong(
          "max_image_seq_len", "another than base_image_seq_len, " + baseImageSeqLen);
    }
  }

  /** The noise level of the first training timestep, shifted unless shifting is dynamic. */
  public float sigmaMin() {
    return trainingSigma(1);
  }

  /** The noise level of the last training timestep, shifted unless shifting is dynamic. */
  public float sigmaMax() {
    return trainingSigma(numTrainTimesteps);
  }

  private float trainingSigma(int timestep) {
    float sigma = (float) timestep / numTrainTimesteps;
    return useDynamicShifting ? sigma : (float) shifted(sigma, Precision.SINGLE);
  }

  /**
   * The fewest steps of a run: a terminal shift stretches the sigmas between the first and the
   * last.
   */
  public int minInferenceSteps() {
    return shiftTerminal.isPresent() ? 2 : 1;
  }

  /**
   * The noise levels that most pipelines start from: evenly from 1 down to {@code 1 /
   * numInferenceSteps}.
   */
  public static double[] linearSigmas(int numInferenceSteps) {
    return Linspace.of(1, 1.0 / numInferenceSteps, numInferenceSteps);
  }

  /**
   * Those of {@link #linearSigmas} as Z-Image's pipeline computes them, with torch instead of
   * numpy: some differ in the last bit of a float.
   */
  public static double[] linearSigmasOfTorch(int numInferenceSteps) {
    return Linspace.single(1, 1.0 / numInferenceSteps, numInferenceSteps);
  }

  /** The dynamic shift of an image of so many transformer tokens; linear, also out of range. */
  public double mu(int imageTokens) {
    double slope = (maxShift - baseShift) / (maxImageSeqLen - baseImageSeqLen);
    return imageTokens * slope + (baseShift - slope * baseImageSeqLen);
  }

  /**
   * The noise levels of a run from {@link #linearSigmas}, as most pipelines sample.
   *
   * @param mu of the image, ignored unless shifting is dynamic
   */
  public Schedule linear(int numInferenceSteps, double mu) {
    return schedule(
        numInferenceSteps, Optional.of(linearSigmas(numInferenceSteps)), OptionalDouble.of(mu));
  }

  /**
   * The noise levels of a run as FLUX's pipelines sample: those of {@link #linear}, unless the
   * config has {@code use_flow_sigmas}, which leaves the scheduler its own.
   *
   * @param mu of the image, ignored unless shifting is dynamic
   */
  public Schedule linearOrOwn(int numInferenceSteps, double mu) {
    return useFlowSigmas
        ? schedule(numInferenceSteps, Optional.empty(), OptionalDouble.of(mu))
        : linear(numInferenceSteps, mu);
  }

  /**
   * The noise levels of a sampling run. With a terminal shift, a single step has none: the result
   * is NaN, as the reference's is.
   *
   * @param sigmas to start from, one a step; empty for even timesteps from {@link #sigmaMax} to
   *     {@link #sigmaMin}
   * @param mu of the image; needed where shifting is dynamic, ignored elsewhere
   * @throws IllegalArgumentException if there are not as many sigmas as steps, or mu is missing
   */
  public Schedule schedule(int numInferenceSteps, Optional<double[]> sigmas, OptionalDouble mu) {
    requireArguments(numInferenceSteps, sigmas, mu);
    Precision precision = sigmas.isPresent() ? Precision.SINGLE : Precision.DOUBLE;
    double[] values =
        Arrays.stream(sigmas.orElseGet(() -> trainingSigmas(numInferenceSteps)))
            .map(precision::round)
            .map(
                x ->
                    useDynamicShifting
                        ? shifted(x, mu.getAsDouble(), precision)
                        : shifted(x, precision))
            .toArray();
    if (shiftTerminal.isPresent()) {
      stretch(values, shiftTerminal.getAsDouble(), precision);
    }
    return terminated(respaced(values));
  }

  private void requireArguments(
      int numInferenceSteps, Optional<double[]> sigmas, OptionalDouble mu) {
    if (numInferenceSteps < 1) {
      throw new IllegalArgumentException(numInferenceSteps + " inference steps; 1 is the least");
    }
    if (sigmas.isPresent() && sigmas.get().length != numInferenceSteps) {
      throw new IllegalArgumentException(
          "%d sigmas for %d inference steps".formatted(sigmas.get().length, numInferenceSteps));
    }
    if (useDynamicShifting && mu.isEmpty()) {
      throw new IllegalArgumentException("dynamic shifting needs mu");
    }
  }

  private double[] trainingSigmas(int count) {
    double first = (double) sigmaMax() * numTrainTimesteps;
    double last = (double) sigmaMin() * numTrainTimesteps;
    return Arrays.stream(Linspace.of(first, last, count)).map(t -> t / numTrainTimesteps).toArray();
  }

  private double shifted(double sigma, Precision p) {
    double numerator = p.round(p.round(shift) * sigma);
    double slope = p.round(p.round(shift - 1) * sigma);
    return p.round(numerator / p.round(1 + slope));
  }

  private double shifted(double sigma, double mu, Precision p) {
    double weight = p.round(timeShiftType == TimeShiftType.EXPONENTIAL ? Math.exp(mu) : mu);
    double odds = p.round(p.round(1 / sigma) - 1);
    return p.round(weight / p.round(weight + odds));
  }

  private static void stretch(double[] sigmas, double terminal, Precision p) {
    double scale = p.round(p.round(1 - sigmas[sigmas.length - 1]) / p.round(1 - terminal));
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] = p.round(1 - p.round(p.round(1 - sigmas[i]) / scale));
    }
  }

  private double[] respaced(double[] sigmas) {
    SigmaSpacing spacing = spacing();
    return spacing == SigmaSpacing.AS_SHIFTED
        ? sigmas
        : spacing.between(sigmas[0], sigmas[sigmas.length - 1], sigmas.length);
  }

  private SigmaSpacing spacing() {
    if (useKarrasSigmas) {
      return SigmaSpacing.KARRAS;
    }
    if (useExponentialSigmas) {
      return SigmaSpacing.EXPONENTIAL;
    }
    return useBetaSigmas ? SigmaSpacing.BETA : SigmaSpacing.AS_SHIFTED;
  }

  private Schedule terminated(double[] values) {
    float[] sigmas = new float[values.length + 1];
    float[] timesteps = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      sigmas[i] = invertSigmas ? 1 - (float) values[i] : (float) values[i];
      timesteps[i] = sigmas[i] * numTrainTimesteps;
    }
    sigmas[values.length] = invertSigmas ? 1 : 0;
    return new Schedule(sigmas, timesteps, stochasticSampling);
  }
}
