package io.lightmill;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A floor uses the floors below it, and packages have no circles. */
class FloorsTest {

  private static final String PIPELINE = "io.lightmill.pipeline..";
  private static final String UDFS = "io.lightmill.udfs..";
  private static final String JOBS = "io.lightmill.jobs..";

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
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.lightmill");

  @Test
  void everyFloorIsLookedAt() {
    for (String floor : new String[] {PIPELINE, UDFS, JOBS}) {
      assertThat(CLASSES.that(resideInAPackage(floor))).as(floor).isNotEmpty();
    }
  }

  @Test
  void pipelineKnowsNoSparkAndNothingAbove() {
    noClasses()
        .that()
        .resideInAPackage(PIPELINE)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(UDFS, JOBS, "org.apache.spark..", "org.apache.hadoop..")
        .check(CLASSES);
  }

  @Test
  void udfsKnowNothingAbove() {
    noClasses()
        .that()
        .resideInAPackage(UDFS)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(JOBS)
        .check(CLASSES);
  }

  /** The contract is in none of these circles, since it depends on no other package. */
  @Test
  void packagesOfThePipelineHaveNoCircles() {
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

  @Test
  void packagesOfTheUdfsHaveNoCircles() {
    slices().assignedFrom(new UdfsPackages()).should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void theRootOfTheUdfsUsesNoOtherPackageOfTheUdfs() {
    noClasses()
        .that()
        .resideInAPackage("io.lightmill.udfs")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.lightmill.udfs.*..")
        .check(CLASSES);
  }

  @Test
  void optionsUseOnlyTheRootAndTheColumnsOfTheUdfs() {
    noClasses()
        .that()
        .resideInAPackage("io.lightmill.udfs.option")
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.lightmill.udfs.*..")
                .and(
                    not(
                        resideInAnyPackage(
                            "io.lightmill.udfs.option", "io.lightmill.udfs.column"))))
        .check(CLASSES);
  }

  @Test
  void jobsUseOnlyThePublicPackagesOfTheUdfs() {
    noClasses()
        .that()
        .resideInAPackage(JOBS)
        .should()
        .dependOnClassesThat(
            resideInAPackage(UDFS)
                .and(
                    not(
                        resideInAnyPackage(
                            "io.lightmill.udfs",
                            "io.lightmill.udfs.option",
                            "io.lightmill.udfs.run",
                            "io.lightmill.udfs.estimate",
                            "io.lightmill.udfs.playground",
                            "io.lightmill.udfs.regenerate",
                            "io.lightmill.udfs.report",
                            "io.lightmill.udfs.checkpoint"))))
        .check(CLASSES);
  }

  @Test
  void onlyTensorsAndTokenizersTouchTheEngine() {
    noClasses()
        .that(
            not(
                resideInAnyPackage(
                    "io.lightmill.pipeline.torch..", "io.lightmill.pipeline.text..")))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ai.djl..")
        .check(CLASSES);
  }

  @Test
  void accessorsAreNamedForWhatTheyGive() {
    methods()
        .that(areOurPublicInterface())
        .should()
        .haveNameNotMatching("get[A-Z].*")
        .check(CLASSES);
  }

  private static DescribedPredicate<JavaMethod> areOurPublicInterface() {
    return DescribedPredicate.describe(
        "are public, of public classes, and override nothing of a library",
        method ->
            method.getModifiers().contains(JavaModifier.PUBLIC)
                && method.getOwner().getModifiers().contains(JavaModifier.PUBLIC)
                && !overridesLibrary(method));
  }

  private static boolean overridesLibrary(JavaMethod method) {
    return Stream.concat(
            method.getOwner().getAllRawSuperclasses().stream(),
            method.getOwner().getAllRawInterfaces().stream())
        .filter(parent -> !parent.getPackageName().startsWith("io.lightmill"))
        .flatMap(parent -> parent.getMethods().stream())
        .anyMatch(inherited -> inherited.getName().equals(method.getName()));
  }

  /** One slice for each package of the udfs, the root among them. */
  private static final class UdfsPackages implements SliceAssignment {

    @Override
    public SliceIdentifier getIdentifierOf(JavaClass type) {
      String name = type.getPackageName();
      return name.equals("io.lightmill.udfs") || name.startsWith("io.lightmill.udfs.")
          ? SliceIdentifier.of(name)
          : SliceIdentifier.ignore();
    }

    @Override
    public String getDescription() {
      return "packages of the udfs";
    }
  }
}
