package io.lightmill.pipeline.families;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Checkpoint.ComponentClass;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.flow.Family;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Checks an index: which components it lists, of which classes, and with which settings. */
final class ComponentClasses {

  /** Components of IP-Adapters, which read an image that no request has. */
  private static final Set<String> OF_IP_ADAPTERS = Set.of("feature_extractor", "image_encoder");

  private static final Set<String> LIBRARIES = Set.of("diffusers", "transformers");

  private ComponentClasses() {}

  static void require(Family family, Checkpoint checkpoint) {
    Map<String, Set<String>> known = family.componentClasses();
    new TreeMap<>(checkpoint.classes())
        .forEach(
            (component, given) -> {
              if (!OF_IP_ADAPTERS.contains(component)) {
                require(checkpoint, component, given, known.getOrDefault(component, Set.of()));
              }
            });
    ComponentConfig index = checkpoint.index();
    Set<String> keys = new TreeSet<>(family.indexKeys());
    keys.addAll(checkpoint.components());
    index
        .json()
        .propertyStream()
        .filter(field -> isOmitted(field.getValue()))
        .forEach(field -> keys.add(field.getKey()));
    index.requireAllRead(keys);
  }

  /** {@code [null, null]}, or {@code [library, null]}. */
  private static boolean isOmitted(JsonNode component) {
    return component.isArray() && component.size() == 2 && component.get(1).isNull();
  }

  private static void require(
      Checkpoint checkpoint, String component, ComponentClass given, Set<String> known) {
    if (!LIBRARIES.contains(given.library()) || !known.contains(given.name())) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s has the class %s of %s for the component '%s' of a %s, where Lightmill runs %s; use a checkpoint of that class"
              .formatted(
                  checkpoint.directory().resolve(Checkpoint.INDEX),
                  given.name(),
                  given.library(),
                  component,
                  checkpoint.pipelineClass(),
                  known.isEmpty() ? "none" : String.join(", ", new TreeSet<>(known))));
    }
  }
}
