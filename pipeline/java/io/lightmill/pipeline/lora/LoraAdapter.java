package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.NameList;
import io.lightmill.pipeline.checkpoint.RegularFile;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.TensorEntry;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.codec.binary.Hex;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * A low-rank adapter that fits a checkpoint.
 *
 * @param file that holds it
 * @param digest SHA-256 of the file, and of PEFT's config next to it if there is one, in hex
 * @param layers that it changes
 */
public record LoraAdapter(SafetensorsFile file, String digest, List<LoraLayer> layers) {

  /** As diffusers' {@code save_lora_weights} and PEFT's {@code save_pretrained} name the file. */
  private static final List<String> USUAL_NAMES =
      List.of("pytorch_lora_weights.safetensors", "adapter_model.safetensors");

  public LoraAdapter {
    layers = List.copyOf(layers);
  }

  /**
   * Reads an adapter and finds the layer of each of its tensors.
   *
   * @param path of the file, or of a directory that holds it under its usual name
   * @param pipelineClass diffusers' class of the checkpoint
   * @param originalNames of the transformer's layers in the model's first release, one {@code
   *     original = diffusers' layers} per line; empty if they are diffusers' names
   * @param networks of the checkpoint, by component
   * @throws LightmillException with {@code WEIGHTS_INVALID} that names keys that match nothing,
   *     matrices without their counterpart, and shapes and ranks that do not fit: ten at most, and
   *     how many there are
   */
  public static LoraAdapter open(
      Path path, String pipelineClass, String originalNames, Map<String, WeightLayout> networks) {
    SafetensorsFile file = SafetensorsFile.open(inside(path));
    LoraFile read = LoraFile.of(file);
    List<String> faults = new ArrayList<>(read.faults());
    LoraScale scale = LoraScale.of(file, faults);
    networks.keySet().stream()
        .filter(component -> scale.beside().isEmpty() || component.equals(LoraNames.TRANSFORMER))
        .forEach(component -> scale.refuseOthers(component, faults));
    LoraNames names = new LoraNames(originalNames, networks);
    List<LoraLayer> layers = new ArrayList<>();
    read.layers()
        .forEach(
            (name, stored) -> {
              Optional<LoraNames.Meaning> meaning = names.meaning(name);
              if (meaning.isEmpty()) {
                faults.add(
                    "'%s' and '%s' belong to no layer of this checkpoint"
                        .formatted(stored.down().name(), stored.up().name()));
              } else {
                WeightLayout layout = networks.get(meaning.get().component());
                layers.addAll(fitted(file, stored, meaning.get(), layout, scale, faults));
              }
            });
    if (layers.isEmpty() && faults.isEmpty()) {
      faults.add("it holds no tensors");
    }
    if (!faults.isEmpty()) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "the adapter %s does not fit this %s: %s; take one that was trained on this model"
              .formatted(file.path(), pipelineClass, NameList.of(faults, "; ")));
    }
    return new LoraAdapter(file, digest(file.path(), scale.beside()), layers);
  }

  /** Whether it changes a text encoder. */
  public boolean changesTexts() {
    return layers.stream().anyMatch(layer -> layer.component().startsWith("text_encoder"));
  }

  private static Path inside(Path path) {
    return Files.isDirectory(path)
        ? USUAL_NAMES.stream()
            .map(path::resolve)
            .filter(RegularFile::exists)
            .findFirst()
            .orElse(path.resolve(USUAL_NAMES.get(0)))
        : path;
  }

  private static String digest(Path file, Optional<Path> config) {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = DigestUtils.updateDigest(DigestUtils.getSha256Digest(), in);
      if (config.isPresent()) {
        digest.update(
            RegularFile.read(config.get(), RegularFile.CONFIG_BYTES, ErrorCode.WEIGHTS_INVALID));
      }
      return Hex.encodeHexString(digest.digest());
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "the adapter %s cannot be read (%s); check that it is readable".formatted(file, e),
          e);
    }
  }

  private static List<LoraLayer> fitted(
      SafetensorsFile file,
      LoraFile.Layer stored,
      LoraNames.Meaning meaning,
      WeightLayout layout,
      LoraScale scales,
      List<String> faults) {
    double scale = scale(file, stored, meaning, scales);
    List<LoraLayer> layers = new ArrayList<>();
    long row = 0;
    for (LayerPart part : meaning.parts()) {
      List<Long> weight = layout.shapes().get(part.layer() + ".weight");
      long rows = weight.get(0) / part.of();
      if (!weight.get(1).equals(stored.down().shape().get(1))) {
        faults.add(
            "'%s' of shape %s reads %d channels where '%s' reads %d"
                .formatted(
                    stored.down().name(),
                    stored.down().shape(),
                    stored.down().shape().get(1),
                    part.layer(),
                    weight.get(1)));
        return List.of();
      }
      layers.add(
          new LoraLayer(
              meaning.component(),
              part.layer(),
              weight.get(0),
              stored.down(),
              stored.up(),
              row,
              rows,
              part.part() * rows,
              scale));
      row += rows;
    }
    if (row != stored.up().shape().get(0)) {
      faults.add(
          "'%s' of shape %s writes %d channels where %s %d"
              .formatted(
                  stored.up().name(),
                  stored.up().shape(),
                  stored.up().shape().get(0),
                  written(meaning),
                  row));
      return List.of();
    }
    return layers;
  }

  private static String written(LoraNames.Meaning meaning) {
    List<String> layers = meaning.parts().stream().map(LayerPart::layer).distinct().toList();
    return "'%s' %s"
        .formatted(String.join("', '", layers), layers.size() == 1 ? "writes" : "write");
  }

  private static double scale(
      SafetensorsFile file, LoraFile.Layer stored, LoraNames.Meaning meaning, LoraScale scales) {
    TensorEntry alpha = stored.alpha();
    if (alpha == null || alpha.count() != 1) {
      return scales.of(meaning.component(), meaning.name(), stored.rank());
    }
    return file.scalar(alpha) / stored.rank();
  }
}
