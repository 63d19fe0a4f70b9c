package io.lightmill.pipeline;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Test;

/** The packages of the pipeline: contract, tools, flow, families, registry. */
class PipelinePackagesTest {

  private static final String CONTRACT = "io.lightmill.pipeline";
  private static final String REGISTRY = "io.lightmill.pipeline.families";
  private static final String[] FAMILIES = {
    "io.lightmill.pipeline.flux",
    "io.lightmill.pipeline.flux2",
    "io.lightmill.pipeline.qwenimage",
    "io.lightmill.pipeline.stablediffusion3",
    "io.lightmill.pipeline.zimage"
  };

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(location -> !location.contains("/test-classes/"))
          .importPackages("io.lightmill");

  /** The contract is in none of these circles, since it depends on no other package. */
  @Test
  void packagesHaveNoCircles() {
    slices().matching("io.lightmill.pipeline.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void theContractDependsOnNoPackageOfOurs() {
    noClasses()
        .that()
        .resideInAPackage(CONTRACT)
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.lightmill..").and(not(resideInAPackage(CONTRACT))))
        .check(CLASSES);
  }

  @Test
  void familiesKnowTheirFlowAndNotEachOther() {
    for (String family : FAMILIES) {
      assertThat(CLASSES.that(resideInAPackage(family))).as(family).isNotEmpty();
      noClasses()
          .that()
          .resideInAPackage(family)
          .should()
          .dependOnClassesThat(resideInAnyPackage(FAMILIES).and(not(resideInAPackage(family))))
          .check(CLASSES);
    }
    noClasses()
        .that()
        .resideOutsideOfPackages(FAMILIES)
        .and()
        .resideOutsideOfPackage(REGISTRY)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(FAMILIES)
        .check(CLASSES);
  }

  @Test
  void theRegistryIsAboveTheFlow() {
    noClasses()
        .that()
        .resideInAPackage("io.lightmill.pipeline..")
        .and()
        .resideOutsideOfPackages(REGISTRY, "io.lightmill.pipeline.verify")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(REGISTRY)
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAnyPackage(
            "io.lightmill.pipeline.torch",
            "io.lightmill.pipeline.checkpoint",
            "io.lightmill.pipeline.text",
            "io.lightmill.pipeline.schedule",
            "io.lightmill.pipeline.vae",
            "io.lightmill.pipeline.lora",
            "io.lightmill.pipeline.image")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.lightmill.pipeline.flow")
        .check(CLASSES);
  }
}
